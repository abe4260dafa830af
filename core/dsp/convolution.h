// Time-varying convolution (upstream: core.py, fft_convolve).
#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace ddsp {

// Size for an FFT that holds frame_size + ir_size - 1 samples: the next power of two, or the next product of powers of
// 2, 3 and 5. Upstream: get_fft_size.
enum class FftSizes { kPowersOfTwo, kSmooth };
int64_t GetFftSize(int64_t frame_size, int64_t ir_size, FftSizes sizes = FftSizes::kPowersOfTwo);

enum class ConvolutionPadding {
  kSame,   // as long as the audio
  kValid,  // as long as the whole convolution, audio + impulse response - 1
};
// Upstream names: "same", "valid". Throws ValueError for others.
ConvolutionPadding ParseConvolutionPadding(std::string_view name);

// Samples dropped from the start for kAutomaticDelay: (ir_size - 1) / 2 - 1.
inline constexpr int64_t kAutomaticDelay = -1;

struct ConvolutionOptions {
  ConvolutionPadding padding = ConvolutionPadding::kSame;
  int64_t delay_compensation = kAutomaticDelay;  // samples to drop from the start, or kAutomaticDelay
};

// Cuts the wanted samples out of a convolution [batch, samples]; what lies behind its end is zero.
// Upstream: crop_and_compensate_delay, which returns an empty signal whenever less is cropped at the end than at the
// start.
at::Tensor CropAndCompensateDelay(const at::Tensor& convolved, int64_t audio_size, int64_t ir_size,
                                  const ConvolutionOptions& options);

// Convolves audio [batch, samples] with impulse responses [batch, taps] or [batch, frames, taps] (batch 1 is
// broadcast): the audio is cut into `frames` rectangular frames of ceil(samples / frames), each convolved with its own
// response, and added up. Throws ValueError: batch sizes differ; frames of that length do not give that many frames.
// Upstream: fft_convolve.
at::Tensor FftConvolve(const at::Tensor& audio, const at::Tensor& impulse_response,
                       const ConvolutionOptions& options = {});

// Adds frames [batch, frames, length] up at a distance of `hop`: [batch, (frames - 1) * hop + length].
at::Tensor OverlapAdd(const at::Tensor& frames, int64_t hop);

}  // namespace ddsp
