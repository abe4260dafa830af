// Reverb (core/streaming/reverb_stage.cc): partitioned overlap-save convolution, a request for each block.
#pragma once

#include "core/cuda/fft.h"
#include "core/cuda/step_memory.h"

namespace ddsp::cuda {

// Partitions are as long as a hop. Longer ones for late taps, as on the CPU, would save two thirds of the traffic with
// memory, of which a GPU has plenty, and cost a second size of transform and steps of unequal length.
struct ReverbKernel {
  StepMemory memory;
  const float* input = nullptr;  // [requests, hop]
  float* output = nullptr;       // [requests, hop]
  Fft fft;                       // of `hop` complex numbers: 2 hop real ones
  int hop = 0, partitions = 0, frames_per_hop = 1;
  const Complex* response = nullptr;  // [partitions, hop + 1]: spectra of the impulse response
  float dry = 0;                      // gain of the input in the output
  // Where a slot keeps the last hop of input, [hop], and the spectra of its inputs, a ring [partitions, hop + 1].
  int64_t slot_previous = 0, slot_ring = 0;
  int max_rows = 0;

  static constexpr int kThreads = 192;
  int blocks() const { return max_rows; }
  int scratch_floats() const { return 2 * 2 * (hop + 1); }  // two spectra

  template <class Team>
  DDSP_DEVICE void operator()(Team& team, int block) const {
    if (block >= memory.input.counts->requests) return;
    const RequestInput request = memory.input.requests[block];
    if (request.frame_index == 0) return;  // there is no hop before the first frame
    const float* in = input + static_cast<int64_t>(block) * hop;
    float* out = output + static_cast<int64_t>(block) * hop;
    float* slot = memory.slot(request.slot);
    float* previous = slot + slot_previous;
    Complex* ring = reinterpret_cast<Complex*>(slot + slot_ring);
    const int newest = static_cast<int>((request.frame_index / frames_per_hop - 1) % partitions), bins = hop + 1;

    Complex* a = reinterpret_cast<Complex*>(team.scratch());
    Complex* b = a + bins;
    const auto sample = [&](int i) { return i < hop ? previous[i] : in[i - hop]; };
    team.ForEach(hop, [&](int n) { a[n] = {sample(2 * n), sample(2 * n + 1)}; });
    const Complex* packed = fft.Forward(team, a, b);
    team.ForEach(bins, [&](int k) {
      ring[newest * bins + k] = Unpack(packed, k);
      if (k < hop) previous[k] = in[k];
    });

    Complex* sum = packed == a ? b : a;
    Complex* spare = packed == a ? a : b;
    team.ForEach(bins, [&](int k) { sum[k] = Convolved(ring + k, newest, response + k); });
    team.ForEach(hop, [&](int k) { spare[k] = Conj(Pack(sum, k)); });
    const Complex* made = fft.Forward(team, spare, sum);  // the inverse: conjugated before and after
    team.ForEach(hop, [&](int n) {
      const Complex pair = made[(hop + n) / 2];  // the second half of the block; the first wraps round
      const float wet = (hop + n) % 2 == 0 ? pair.re : -pair.im;
      out[n] = dry * in[n] + wet / hop;
    });
  }

 private:
  // Bin k of 2 hop real samples from the transform of their pairs (even sample, odd sample).
  DDSP_DEVICE Complex Unpack(const Complex* packed, int k) const {
    const Complex z = packed[k % hop], mirrored = Conj(packed[(hop - k) % hop]);
    const Complex even = 0.5f * (z + mirrored), odd = -0.5f * TimesI(z - mirrored);
    return even + fft.roots[k] * odd;
  }

  // The reverse.
  DDSP_DEVICE Complex Pack(const Complex* spectrum, int k) const {
    const Complex x = spectrum[k], mirrored = Conj(spectrum[hop - k]);
    const Complex even = 0.5f * (x + mirrored), odd = 0.5f * (Conj(fft.roots[k]) * (x - mirrored));
    return even + TimesI(odd);
  }

  // One bin: the input of p hops ago times partition p of the response.
  DDSP_DEVICE Complex Convolved(const Complex* ring, int newest, const Complex* partition) const {
    const int bins = hop + 1;
    Complex sum = {0, 0};
    for (int p = 0; p <= newest; ++p) sum = sum + ring[(newest - p) * bins] * partition[p * bins];
    for (int p = newest + 1; p < partitions; ++p) {
      sum = sum + ring[(newest + partitions - p) * bins] * partition[p * bins];
    }
    return sum;
  }
};

}  // namespace ddsp::cuda
