// Convolution of a stream with a long impulse response, block by block, without added latency.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "core/kernels/fft.h"
#include "hwy/aligned_allocator.h"

namespace ddsp::kernels {

// What the convolver writes: the convolution, or the convolution added to the input.
enum class ConvolverOutput { kWet, kDryPlusWet };

// Uniformly partitioned overlap-save convolution in the frequency domain (FFT of two blocks, a delay line of input
// spectra). Immutable: the spectra of the impulse response are shared by all streams; a stream owns state_size()
// floats.
//
// For an impulse response of 24,000 taps in blocks of 320: 75 partitions of 321 bins, 24 k complex multiply-adds and
// two FFTs of 640 per block, 203 kB of state per stream. Error against a convolution in double: rms at most 1e-6 of the
// rms of the result.
class PartitionedConvolver {
 public:
  // `impulse_response` has 1 tap or more; RealFft::Supports(2 * block).
  PartitionedConvolver(absl::Span<const float> impulse_response, int block, ConvolverOutput output);

  // Spectra are padded to a multiple of so many bins.
  static constexpr int kPadding = 16;

  int block() const { return block_; }
  // The tail after the end of the input: taps - 1 samples.
  int64_t tail() const { return taps_ - 1; }
  // Floats of state per stream, all zero at the start.
  int64_t state_size() const;
  // Floats of scratch for one Step(); contents do not matter.
  int64_t scratch_size() const;

  // Consumes in [block] and writes out [block], the convolution at the same samples. `out` may be `in`.
  void Step(const float* in, float* state, float* out, float* scratch) const;

 private:
  int block_, partitions_, stride_;
  int64_t taps_;
  ConvolverOutput output_;
  RealFft fft_;
  hwy::AlignedFreeUniquePtr<float[]> spectra_;  // [partitions, 2 (re, im), stride]
};

}  // namespace ddsp::kernels
