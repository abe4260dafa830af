// Harmonic (core/streaming/harmonic_stage.cc): controls, and the bank from one frame to the next; a request for each
// block.
#pragma once

#include <math.h>

#include "core/cuda/scalar_math.h"
#include "core/cuda/step_memory.h"

namespace ddsp::cuda {

struct HarmonicKernel {
  StepMemory memory;
  const float* frames = nullptr;  // [rows, frame_width]
  int frame_width = 0;
  int amplitude = 0, distribution = 0, f0 = 0;  // where they lie in a frame
  double sample_rate_hz = 0;
  int hop = 0, harmonics = 0;   // samples between two frames of controls
  const float* ramp = nullptr;  // [hop]: share of the later frame's amplitudes
  // Where a slot keeps its phase (a double, cycles) and [f0, amplitudes] of the frame before.
  int64_t slot_phase = 0, slot_previous = 0;
  float* output = nullptr;  // [requests, hop], rows output_stride apart
  int64_t output_stride = 0;
  int max_rows = 0;

  static constexpr int kThreads = 320;
  int blocks() const { return max_rows; }
  int scratch_floats() const { return 1 + harmonics; }

  template <class Team>
  DDSP_DEVICE void operator()(Team& team, int block) const {
    if (block >= memory.input.counts->requests) return;
    const RequestInput request = memory.input.requests[block];
    if (request.frame_index < 0) return;
    float* slot = memory.slot(request.slot);
    double* kept_phase = reinterpret_cast<double*>(slot + slot_phase);
    float* previous = slot + slot_previous;
    float* current = team.scratch();
    double phase = *kept_phase;
    const float start_f0 = previous[0], first_f0 = Frame(request.first_row)[f0];
    // Nothing leads to the first frame.
    Controls(team, Frame(request.frame_index > 0 ? request.first_row : request.end_row - 1), current);
    if (request.frame_index > 0) {
      float* out = output + block * output_stride;
      int begin = 0;
      // A change of parameters on the way: up to it the way goes on to its old end. From it on the pitch follows the
      // new one, in phase with the old, and the amplitudes are at once those of the new frame.
      for (int row = request.first_row; row < request.end_row; ++row) {
        const bool changed = row > request.first_row;
        const int end = memory.input.rows[row].section_end;
        const float to_f0 = Frame(row)[f0], from_f0 = changed ? start_f0 * to_f0 / first_f0 : start_f0;
        if (changed) Controls(team, Frame(row), current);
        const float* from = changed ? current : previous;
        const double at_start = phase - Advance(from_f0, to_f0, begin);
        team.ForEach(end - begin, [&](int i) {
          out[begin + i] = Sample(from + 1, current + 1, from_f0, to_f0, at_start, begin + i);
        });
        phase += Advance(from_f0, to_f0, end) - Advance(from_f0, to_f0, begin);
        begin = end;
      }
    }
    team.ForEach(1 + harmonics, [&](int i) {
      previous[i] = current[i];
      // One bad frame does not silence a voice for ever.
      if (i == 0) *kept_phase = isfinite(phase) ? phase - floor(phase) : 0.0;
    });
  }

 private:
  DDSP_DEVICE const float* Frame(int row) const { return frames + static_cast<int64_t>(row) * frame_width; }

  // [f0, amplitudes] of a frame (core/kernels/harmonic_controls.h).
  template <class Team>
  DDSP_DEVICE void Controls(Team& team, const float* frame, float* controls) const {
    const float nyquist_hz = static_cast<float>(sample_rate_hz) / 2;
    const auto share = [&](int k) {
      return (k + 1) * frame[f0] >= nyquist_hz ? 0.0f : ExpSigmoid(frame[distribution + k]);
    };
    const float sum = team.Sum(harmonics, share);
    const float scale = sum > 0 ? ExpSigmoid(frame[amplitude]) / sum : 0.0f;
    team.ForEach(1 + harmonics, [&](int i) { controls[i] = i == 0 ? frame[f0] : scale * share(i - 1); });
  }

  // Cycles that a ramp of f0 makes in the first `samples` of a hop.
  DDSP_DEVICE double Advance(double from_hz, double to_hz, int samples) const {
    const double ramp_hz = (to_hz - from_hz) * (0.5 * samples * (samples - 1)) / hop;
    return (from_hz * samples + ramp_hz) / sample_rate_hz;
  }

  // Sample m of a hop that started with `phase`; sines by the recurrence of core/kernels/harmonic_bank.cc.
  DDSP_DEVICE float Sample(const float* from, const float* to, double from_f0, double to_f0, double phase,
                           int m) const {
    constexpr double kPi = 3.14159265358979323846;
    const double cycles = phase + Advance(from_f0, to_f0, m + 1);
    const double half_turns = rint(2 * cycles), x = cycles - 0.5 * half_turns;  // folded to [-1/4, 1/4]
    const double half_sine = sin(kPi * x);
    const float sign =
        2 * rint(0.5 * half_turns) == half_turns ? 1.0f : -1.0f;  // of odd harmonics, folded by half a turn
    const float alpha = static_cast<float>(4 * half_sine * half_sine);
    const float f0_hz = static_cast<float>(from_f0 + (to_f0 - from_f0) * m / hop);
    const float nyquist_hz = static_cast<float>(sample_rate_hz / 2), r = ramp[m];
    float sine = static_cast<float>(sin(2 * kPi * x)), delta = sine;
    float sums[2] = {0, 0};  // of odd and of even harmonics
    for (int k = 0; k < harmonics; k += 2) {
      for (int j = 0; j < 2 && k + j < harmonics; ++j) {
        if ((k + j + 1) * f0_hz >= nyquist_hz) return sign * sums[0] + sums[1];
        sums[j] += (from[k + j] + r * (to[k + j] - from[k + j])) * sine;
        delta -= alpha * sine;
        sine += delta;
      }
    }
    return sign * sums[0] + sums[1];
  }
};

}  // namespace ddsp::cuda
