#include "core/kernels/partitioned_convolver.h"

#include <algorithm>
#include <vector>

#include "core/base/check.h"
#include "core/kernels/fft.h"
#include "hwy/aligned_allocator.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/partitioned_convolver.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef DDSP_CORE_KERNELS_PARTITIONED_CONVOLVER_PADDING_
#define DDSP_CORE_KERNELS_PARTITIONED_CONVOLVER_PADDING_
namespace ddsp::kernels {
constexpr int kBinPadding = 16;  // spectra are padded to a multiple of so many bins
}
#endif

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kBinPadding>;
using Vec = hn::Vec<Floats>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));

// sum[k] = sum over `count` partitions of x[p][k] g[p][k] (complex), for kVectors vectors of k; a partition is [2 (re,
// im), stride].
template <int kVectors>
HWY_INLINE void MultiplyBins(const float* HWY_RESTRICT x, const float* HWY_RESTRICT g, int count, int stride,
                             float* HWY_RESTRICT sum) {
  const Floats d;
  // Products of a complex number apart, so that every multiply-add has its own chain.
  Vec re[kVectors], im[kVectors], re_minus[kVectors], im_cross[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    re[v] = hn::LoadU(d, sum + v * kLanes);
    im[v] = hn::LoadU(d, sum + stride + v * kLanes);
    re_minus[v] = im_cross[v] = hn::Zero(d);
  }
  for (int p = 0; p < count; ++p, x += 2 * stride, g += 2 * stride) {
    for (int v = 0; v < kVectors; ++v) {
      const Vec xr = hn::LoadU(d, x + v * kLanes), xi = hn::LoadU(d, x + stride + v * kLanes);
      const Vec gr = hn::LoadU(d, g + v * kLanes), gi = hn::LoadU(d, g + stride + v * kLanes);
      re[v] = hn::MulAdd(xr, gr, re[v]);
      re_minus[v] = hn::MulAdd(xi, gi, re_minus[v]);
      im[v] = hn::MulAdd(xr, gi, im[v]);
      im_cross[v] = hn::MulAdd(xi, gr, im_cross[v]);
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    hn::StoreU(hn::Sub(re[v], re_minus[v]), d, sum + v * kLanes);
    hn::StoreU(hn::Add(im[v], im_cross[v]), d, sum + stride + v * kLanes);
  }
}

void MultiplyPartitions(const float* x, const float* g, int count, int stride, float* sum) {
  int k = 0;
  for (; k + 4 * kLanes <= stride; k += 4 * kLanes) MultiplyBins<4>(x + k, g + k, count, stride, sum + k);
  for (; k < stride; k += kLanes) MultiplyBins<1>(x + k, g + k, count, stride, sum + k);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(MultiplyPartitions);

namespace {

constexpr int kLateRatio = 4;  // size of the late partitions in blocks
constexpr int kEarlyBlocks =
    2 * kLateRatio;  // a late block is gathered, then worked on, before its first output is due

// A place in a ring of `size`, held as a float. A state that was overwritten with NaN yields NaN, not a stray access.
int Cursor(float held, int size) { return held >= 0 && held < static_cast<float>(size) ? static_cast<int>(held) : 0; }

}  // namespace

// The spectra of equal parts of an impulse response. A spectrum is [2 (re, im), stride]; a ring of spectra of the input
// has a slot for each partition, the newest input at `newest`, older ones in the slots after it.
struct PartitionedConvolver::Partitions {
  int block, count, stride;
  RealFft fft;
  hwy::AlignedFreeUniquePtr<float[]> spectra;

  Partitions(absl::Span<const float> taps, int block)
      : block(block),
        count(static_cast<int>((taps.size() + block - 1) / block)),
        stride((block + 1 + kBinPadding - 1) / kBinPadding * kBinPadding),
        fft(2 * block),
        spectra(hwy::AllocateAligned<float>(ring_size())) {
    std::fill_n(spectra.get(), ring_size(), 0.0f);
    std::vector<float> padded(2 * block), scratch(fft.scratch_size());
    for (int p = 0; p < count; ++p) {
      const auto part = taps.subspan(static_cast<size_t>(p) * block, block);
      std::fill(std::copy(part.begin(), part.end(), padded.begin()), padded.end(), 0.0f);
      Transform(padded.data(), spectra.get(), p, scratch.data());
    }
  }

  int64_t spectrum_size() const { return 2 * static_cast<int64_t>(stride); }
  int64_t ring_size() const { return count * spectrum_size(); }
  int Older(int slot) const { return slot == 0 ? count - 1 : slot - 1; }  // the slot of the newest input after one more

  // samples [2 block] -> slot of ring.
  void Transform(const float* samples, float* ring, int slot, float* scratch) const {
    float* spectrum = ring + slot * spectrum_size();
    fft.Forward(samples, spectrum, spectrum + stride, scratch);
  }

  // Adds partitions begin <= p < end times the inputs of p blocks ago to the spectrum `sum`.
  void Multiply(const float* ring, int newest, int begin, int end, float* sum) const {
    while (begin < end) {
      const int slot = (newest + begin) % count, run = std::min(end - begin, count - slot);
      HWY_DYNAMIC_DISPATCH(MultiplyPartitions)
      (ring + slot * spectrum_size(), spectra.get() + begin * spectrum_size(), run, stride, sum);
      begin += run;
    }
  }

  // The block of output of a spectrum: the second half of samples [2 block]; the first wraps round.
  const float* Synthesize(const float* sum, float* samples, float* scratch) const {
    fft.Inverse(sum, sum + stride, samples, scratch);
    return samples + block;
  }
};

// A stream's state by name.
struct PartitionedConvolver::StreamState {
  // Small whole numbers: newest slots of the rings, step within the late block.
  float &early_newest, &late_newest, &late_step;
  float *previous, *early_ring;                          // [block], [early ring]
  float *gathered, *late_ring, *late_sum, *late_output;  // [2 late blocks], [late ring], [late spectrum], [late block]
};

bool PartitionedConvolver::Supports(int block) {
  return RealFft::Supports(2 * block) && RealFft::Supports(2 * kLateRatio * block);
}

PartitionedConvolver::PartitionedConvolver(absl::Span<const float> impulse_response, int block, ConvolverOutput output)
    : block_(block), taps_(impulse_response.size()), output_(output) {
  DDSP_CHECK(!impulse_response.empty(), "an impulse response has at least one tap");
  const size_t early = static_cast<size_t>(kEarlyBlocks) * block;
  const bool is_long = impulse_response.size() > early + kLateRatio * block;
  early_ = std::make_unique<Partitions>(is_long ? impulse_response.first(early) : impulse_response, block);
  if (is_long) late_ = std::make_unique<Partitions>(impulse_response.subspan(early), kLateRatio * block);
}

PartitionedConvolver::~PartitionedConvolver() = default;
PartitionedConvolver::PartitionedConvolver(PartitionedConvolver&&) noexcept = default;

int64_t PartitionedConvolver::state_size() const {
  const int64_t early = 3 + block_ + early_->ring_size();
  return late_ ? early + 3 * late_->block + late_->ring_size() + late_->spectrum_size() : early;
}

int64_t PartitionedConvolver::scratch_size() const {
  const Partitions& largest = late_ ? *late_ : *early_;
  return early_->spectrum_size() + 2 * largest.block + largest.fft.scratch_size();
}

PartitionedConvolver::StreamState PartitionedConvolver::View(float* state) const {
  float* previous = state + 3;
  float* early_ring = previous + block_;
  float* gathered = early_ring + early_->ring_size();
  float* late_ring = late_ ? gathered + 2 * late_->block : nullptr;
  float* late_sum = late_ ? late_ring + late_->ring_size() : nullptr;
  float* late_output = late_ ? late_sum + late_->spectrum_size() : nullptr;
  return {state[0], state[1], state[2], previous, early_ring, gathered, late_ring, late_sum, late_output};
}

// The ring of early spectra, each of two blocks. The oldest late output that is still due was made when the late ring
// was one older, and a late spectrum is of two late blocks, too.
int64_t PartitionedConvolver::replay_blocks(const float* cursors) const {
  if (!late_) return early_->count + 1;
  return Cursor(cursors[2], kLateRatio) + kLateRatio * (int64_t{late_->count} + 2);
}

int64_t PartitionedConvolver::most_replay_blocks() const {
  const float latest[kCursors] = {0, 0, kLateRatio - 1};
  return replay_blocks(latest);
}

std::array<float, PartitionedConvolver::kCursors> PartitionedConvolver::Rewind(const float* cursors) const {
  const int64_t blocks = replay_blocks(cursors);
  std::array<float, kCursors> rewound = {};
  rewound[0] = static_cast<float>((Cursor(cursors[0], early_->count) + blocks) % early_->count);
  if (late_) {
    const int64_t late_blocks = (blocks + kLateRatio - 1) / kLateRatio;
    rewound[1] = static_cast<float>((Cursor(cursors[1], late_->count) + late_blocks) % late_->count);
  }
  return rewound;
}

void PartitionedConvolver::Step(const float* in, float* state, float* out, float* scratch) const {
  const StreamState stream = View(state);
  float* sum = scratch;
  float* samples = sum + early_->spectrum_size();
  float* fft_scratch = samples + 2 * (late_ ? late_->block : block_);

  std::copy_n(stream.previous, block_, samples);
  std::copy_n(in, block_, samples + block_);
  std::copy_n(in, block_, stream.previous);
  const int newest = early_->Older(Cursor(stream.early_newest, early_->count));
  stream.early_newest = static_cast<float>(newest);
  early_->Transform(samples, stream.early_ring, newest, fft_scratch);
  std::fill_n(sum, early_->spectrum_size(), 0.0f);
  early_->Multiply(stream.early_ring, newest, 0, early_->count, sum);
  const float* early = early_->Synthesize(sum, samples, fft_scratch);
  float* wet = sum;  // free by now, and larger than a block
  std::copy_n(early, block_, wet);

  if (late_) StepLate(stream.previous, stream, wet, samples);
  if (output_ == ConvolverOutput::kDryPlusWet) {
    for (int n = 0; n < block_; ++n) wet[n] += stream.previous[n];
  }
  std::copy_n(wet, block_, out);
}

void PartitionedConvolver::StepLate(const float* in, const StreamState& state, float* wet, float* scratch) const {
  const int step = Cursor(state.late_step, kLateRatio), size = late_->block;
  float* fft_scratch = scratch + 2 * size;
  for (int n = 0; n < block_; ++n) wet[n] += state.late_output[step * block_ + n];
  int newest = Cursor(state.late_newest, late_->count);
  if (step == 0) {  // a late block of input is complete
    newest = late_->Older(newest);
    state.late_newest = static_cast<float>(newest);
    late_->Transform(state.gathered, state.late_ring, newest, fft_scratch);
    std::copy_n(state.gathered + size, size, state.gathered);
    std::fill_n(state.late_sum, late_->spectrum_size(), 0.0f);
  }
  std::copy_n(in, block_, state.gathered + size + step * block_);
  late_->Multiply(state.late_ring, newest, late_->count * step / kLateRatio, late_->count * (step + 1) / kLateRatio,
                  state.late_sum);
  if (step == kLateRatio - 1) {  // its output is due from the next step on
    std::copy_n(late_->Synthesize(state.late_sum, scratch, fft_scratch), size, state.late_output);
  }
  state.late_step = static_cast<float>((step + 1) % kLateRatio);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
