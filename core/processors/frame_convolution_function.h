// A filter that changes from frame to frame as one node of the autograd graph: memory of O(samples), where the FFT
// takes several spectra of every frame.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// FrequencyFilter() (core/dsp/filter_design) with padding kSame. Fused, with gradients for both arguments, where
// magnitudes are [batch, frames, bands], frames divide the samples, and responses are short; in parallel over the
// batch.
at::Tensor FilterFrames(const at::Tensor& audio, const at::Tensor& magnitudes, int64_t window_size);

// The fused part: audio [batch, samples] convolved with responses [batch, frames, taps], contiguous CPU tensors of one
// floating type, to [batch, samples + taps - 1].
at::Tensor ConvolveFrames(const at::Tensor& audio, const at::Tensor& responses);

}  // namespace ddsp
