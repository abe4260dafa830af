// Convolution of a stream with a long impulse response, block by block, without added latency.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"

namespace ddsp::kernels {

// What the convolver writes: the convolution, or the convolution added to the input.
enum class ConvolverOutput { kWet, kDryPlusWet };

// Partitioned overlap-save convolution in the frequency domain, with delay lines of input spectra.
//
// The first 8 blocks of taps are convolved block by block, as soon as a block of input is there. The taps after them
// wait long enough to be taken in blocks four times as large, whose work is spread over the four steps in which their
// input is gathered: a third of the arithmetic, and of the memory that a step touches, of partitions of one size.
//
// For an impulse response of 24,000 taps in blocks of 320: 8 partitions of 321 bins and 17 of 1,281, on average 8 k
// complex multiply-adds and 2.5 FFTs of 640 or 2,560 per block, 224 kB of state per stream. Error against a convolution
// in double: rms at most 1e-6 of the rms of the result.
//
// Immutable: the spectra of the impulse response are shared by all streams; a stream owns state_size() floats.
class PartitionedConvolver {
 public:
  // Whether blocks of so many samples can be transformed.
  static bool Supports(int block);

  // `impulse_response` has 1 tap or more; Supports(block).
  PartitionedConvolver(absl::Span<const float> impulse_response, int block, ConvolverOutput output);
  ~PartitionedConvolver();
  PartitionedConvolver(PartitionedConvolver&&) noexcept;

  int block() const { return block_; }
  // The tail after the end of the input: taps - 1 samples.
  int64_t tail() const { return taps_ - 1; }
  // Floats of state per stream, all zero at the start.
  int64_t state_size() const;
  // Floats of scratch for one Step(); contents do not matter.
  int64_t scratch_size() const;

  // A state follows to the bit from fewer floats: its cursors, which are its first ones, and the newest blocks of
  // input; replay_blocks() of them, or all since the start where there are fewer. From the latter, a state of zeros
  // that is stepped through them; otherwise one with cursors that were rewound.
  static constexpr int kCursors = 3;
  int64_t most_replay_blocks() const;
  int64_t replay_blocks(const float* cursors) const;
  // The cursors replay_blocks() before `cursors`.
  std::array<float, kCursors> Rewind(const float* cursors) const;

  // Consumes in [block] and writes out [block], the convolution at the same samples. `out` may be `in`.
  void Step(const float* in, float* state, float* out, float* scratch) const;

 private:
  struct Partitions;
  struct StreamState;

  StreamState View(float* state) const;
  // Adds the block that late taps make of earlier input to wet [block], and takes `in`.
  void StepLate(const float* in, const StreamState& state, float* wet, float* scratch) const;

  int block_;
  int64_t taps_;
  ConvolverOutput output_;
  std::unique_ptr<const Partitions> early_, late_;  // late_ is null for a short impulse response
};

}  // namespace ddsp::kernels
