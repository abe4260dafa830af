// FilteredNoise (core/streaming/filtered_noise_stage.cc): magnitudes, their filter, noise and overlap-add, a request
// for each block.
#pragma once

#include "core/cuda/philox.h"
#include "core/cuda/scalar_math.h"
#include "core/cuda/step_memory.h"

namespace ddsp::cuda {

struct NoiseKernel {
  StepMemory memory;
  const float* frames = nullptr;  // [rows, frame_width]
  int frame_width = 0;
  int magnitudes = 0;  // where they lie in a frame
  float initial_bias = 0;
  int bands = 0, hop = 0;         // samples between two frames of controls
  const float* design = nullptr;  // [bands, taps]: the filter of each band alone
  int64_t slot_tail = 0;          // where a slot keeps what its noise still becomes, [tail()]
  float* output = nullptr;        // [requests, hop], rows output_stride apart
  int64_t output_stride = 0;
  int max_rows = 0;

  static constexpr int kThreads = 256;
  int blocks() const { return max_rows; }
  // levels [bands], filter [taps], noise [hop, up to 6 more], stream [hop + tail]
  int scratch_floats() const { return bands + taps() + hop + 6 + hop + tail(); }

  // As in NoiseFilter (core/kernels/noise_filter.h); the tail is its state.
  DDSP_HOST_DEVICE int taps() const { return 2 * (bands - 1); }
  DDSP_HOST_DEVICE int delay() const { return (taps() - 1) / 2 - 1; }
  DDSP_HOST_DEVICE int tail() const { return hop + taps() - 1 - delay(); }

  template <class Team>
  DDSP_DEVICE void operator()(Team& team, int block) const {
    if (block >= memory.input.counts->requests) return;
    const RequestInput request = memory.input.requests[block];
    if (request.frame_index < 0) return;
    const int taps = this->taps(), delay = this->delay(), tail = this->tail();
    float* kept = memory.slot(request.slot) + slot_tail;
    float* level = team.scratch();
    float* filter = level + bands;
    float* noise = filter + taps;
    float* stream = noise + hop + 6;  // from the first sample that this step finishes
    const float* frame = FrameInForce(request);
    const int64_t begin = request.frame_index * hop;
    const int skip = static_cast<int>(begin % 4);  // samples of the first block of noise that precede the hop
    team.ForEach(bands, [&](int k) { level[k] = ExpSigmoid(frame[magnitudes + k] + initial_bias); });
    team.ForEach((hop + skip + 3) / 4, [&](int i) {
      const NoiseBlock made = UniformNoiseBlock(request.seed, static_cast<uint64_t>(begin / 4 + i));
      for (int j = 0; j < 4; ++j) noise[4 * i + j] = made.samples[j];
    });
    team.ForEach(taps, [&](int i) {
      float sum = 0;
      for (int k = 0; k < bands; ++k) sum += level[k] * design[k * taps + i];
      filter[i] = sum;
    });
    team.ForEach(hop + tail, [&](int n) {
      const int at = n - (hop - delay);  // sample of the convolution of this hop's noise
      float sum = n < tail ? kept[n] : 0.0f;
      const int first = at - (hop - 1) > 0 ? at - (hop - 1) : 0, end = at + 1 < taps ? at + 1 : taps;
      for (int i = first; i < end; ++i) sum += filter[i] * noise[skip + at - i];
      stream[n] = sum;
    });
    team.ForEach(hop + tail, [&](int n) {
      if (n >= hop) {
        kept[n - hop] = stream[n];
      } else if (request.frame_index > 0) {  // else it precedes the stream
        output[block * output_stride + n] = stream[n];
      }
    });
  }

 private:
  // The filter has no phase: noise sounds from half its length before its frame on. Parameters that change later than
  // that wait for the next frame.
  DDSP_DEVICE const float* FrameInForce(const RequestInput& request) const {
    int row = request.first_row;
    while (row + 1 < request.end_row && memory.input.rows[row].section_end <= hop - taps() / 2) ++row;
    return frames + static_cast<int64_t>(row) * frame_width;
  }
};

}  // namespace ddsp::cuda
