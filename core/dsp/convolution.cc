#include "core/dsp/convolution.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/integer.h"
#include "core/dsp/argument.h"
#include "core/dsp/arrays.h"

namespace ddsp {
namespace {

using at::Tensor;

bool IsSmooth(int64_t n) {
  for (int64_t factor : {2, 3, 5}) {
    while (n % factor == 0) n /= factor;
  }
  return n == 1;
}

// Even, so that the inverse real transform has an integer number of bins: any size will do for us, small is fast.
int64_t ShortEvenFft(int64_t frame_size, int64_t ir_size) {
  int64_t size = GetFftSize(frame_size, ir_size, FftSizes::kSmooth);
  while (size % 2 != 0) size = GetFftSize(size + 1, 1, FftSizes::kSmooth);
  return size;
}

// [batch, frames, taps] with the batch of the audio.
Tensor WithFrames(const Tensor& impulse_response, int64_t batch) {
  DDSP_CHECK_ARGUMENT(impulse_response.dim() == 2 || impulse_response.dim() == 3, "impulse_response has shape ",
                      impulse_response.sizes(), ", expected [batch, taps] or [batch, frames, taps]");
  const Tensor ir = impulse_response.dim() == 2 ? impulse_response.unsqueeze(1) : impulse_response;
  DDSP_CHECK_ARGUMENT(ir.size(0) == batch || ir.size(0) == 1, "batch of the impulse response is ", ir.size(0),
                      ", expected that of the audio, ", batch, ", or 1");
  return ir;
}

}  // namespace

int64_t GetFftSize(int64_t frame_size, int64_t ir_size, FftSizes sizes) {
  const int64_t needed = frame_size + ir_size - 1;
  DDSP_CHECK_ARGUMENT(needed > 0, "frame_size is ", frame_size, " and ir_size ", ir_size,
                      ", expected positive numbers");
  int64_t size = 1;
  if (sizes == FftSizes::kPowersOfTwo) {
    while (size < needed) size *= 2;
  } else {
    size = needed;
    while (!IsSmooth(size)) ++size;
  }
  return size;
}

ConvolutionPadding ParseConvolutionPadding(std::string_view name) {
  if (name == "same") return ConvolutionPadding::kSame;
  if (name == "valid") return ConvolutionPadding::kValid;
  DDSP_CHECK_ARGUMENT(false, "padding is '", std::string(name), "', expected valid or same");
}

at::Tensor CropAndCompensateDelay(const Tensor& convolved, int64_t audio_size, int64_t ir_size,
                                  const ConvolutionOptions& options) {
  const int64_t length = options.padding == ConvolutionPadding::kSame ? audio_size : audio_size + ir_size - 1;
  const bool automatic = options.delay_compensation < 0;
  // One tap or two give an automatic delay of -1: a leading zero.
  const int64_t start = automatic ? (ir_size - 1) / 2 - 1 : options.delay_compensation;
  const Tensor padded =
      PadAxis(convolved, std::max<int64_t>(0, -start), std::max<int64_t>(0, start + length - convolved.size(-1)), -1);
  return padded.narrow(-1, std::max<int64_t>(0, start), length);
}

at::Tensor OverlapAdd(const Tensor& frames, int64_t hop) {
  const int64_t count = frames.size(1), length = frames.size(2);
  if (count == 1) return frames.select(1, 0);
  // Cut every frame into pieces of one hop; pieces r of all frames are adjacent, r hops later.
  const int64_t pieces = CeilDiv(length, hop);
  const Tensor cut = PadAxis(frames, 0, pieces * hop - length, 2).unflatten(2, {pieces, hop});
  Tensor sum = PadAxis(cut.select(2, 0), 0, pieces - 1, 1);
  for (int64_t r = 1; r < pieces; ++r) sum = sum + PadAxis(cut.select(2, r), r, pieces - 1 - r, 1);
  return sum.flatten(1, 2).narrow(1, 0, (count - 1) * hop + length);
}

at::Tensor FftConvolve(const Tensor& audio, const Tensor& impulse_response, const ConvolutionOptions& options) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 2 && audio.size(1) > 0, "audio has shape ", audio.sizes(),
                      ", expected [batch, samples]");
  const int64_t samples = audio.size(1);
  const Tensor ir = WithFrames(impulse_response, audio.size(0));
  const int64_t frames = ir.size(1), taps = ir.size(2);
  DDSP_CHECK_ARGUMENT(frames > 0 && taps > 0, "impulse_response has shape ", impulse_response.sizes(),
                      ", expected no empty axis");
  const int64_t hop = CeilDiv(samples, frames);
  DDSP_CHECK_ARGUMENT(CeilDiv(samples, hop) == frames, "impulse_response has ", frames, " frames, but ", samples,
                      " samples of audio in frames of ", hop, " give ", CeilDiv(samples, hop));
  const Tensor audio_frames = PadAxis(audio, 0, frames * hop - samples, 1).unflatten(1, {frames, hop});
  const int64_t fft_size = ShortEvenFft(hop, taps);
  const Tensor product = at::fft_rfft(audio_frames, fft_size) * at::fft_rfft(ir, fft_size);
  const Tensor convolved = at::fft_irfft(product, fft_size).narrow(2, 0, hop + taps - 1);
  return CropAndCompensateDelay(OverlapAdd(convolved, hop), samples, taps, options);
}

}  // namespace ddsp
