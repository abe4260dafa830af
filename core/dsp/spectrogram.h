// Short-time spectra (upstream: spectral_ops.py). Audio is [samples], [batch, samples] or [batch, samples, 1].
#pragma once

#include <ATen/ATen.h>

#include "core/dsp/framing.h"

namespace ddsp {

struct StftOptions {
  int64_t frame_size = 2048;  // Hann window of this length; the FFT is the next power of two, zeros at the end
  double overlap = 0.75;      // hop = frame_size * (1 - overlap), rounded down
  FramePadding padding = FramePadding::kSame;  // upstream: pad_end = true; kValid: pad_end = false
};
// Samples from one frame to the next.
int64_t HopOf(const StftOptions& options);

// Complex spectra [..., frames, bins]. Upstream: stft.
at::Tensor Stft(const at::Tensor& audio, const StftOptions& options = {});
// Magnitudes and their logarithms (natural, SafeLog) [..., frames, bins]. Upstream: compute_mag, compute_logmag.
at::Tensor ComputeMag(const at::Tensor& audio, const StftOptions& options = {});
at::Tensor ComputeLogmag(const at::Tensor& audio, const StftOptions& options = {});

struct MelOptions {
  double lo_hz = 0.0;
  double hi_hz = 8000.0;
  int64_t bins = 64;
  double sample_rate = 16000;  // Hz
  StftOptions stft;
};
// Weights [spectrum bins, mel bins] of triangles that are linear on the HTK mel scale, of height one; the DC bin has
// none. Upstream: tf.signal.linear_to_mel_weight_matrix.
at::Tensor MelWeights(int64_t spectrum_bins, const MelOptions& options);
// Mel spectra and their logarithms (natural, SafeLog) [..., frames, mel bins]. Upstream: compute_mel; compute_logmel,
// whose range is 80 Hz to 7600 Hz by default.
at::Tensor ComputeMel(const at::Tensor& audio, const MelOptions& options = {});
at::Tensor ComputeLogmel(const at::Tensor& audio, const MelOptions& options = {80.0, 7600.0, 64, 16000, {}});

// The first `mfcc_bins` cepstral coefficients [..., frames, mfcc_bins]: DCT-II scaled by 1 / sqrt(2 mel bins).
// Upstream: compute_mfcc, with 20 Hz, 8000 Hz, 128 mel bins and frames of 1024 by default.
at::Tensor ComputeMfcc(const at::Tensor& audio, int64_t mfcc_bins = 13,
                       const MelOptions& options = {20.0, 8000.0, 128, 16000, {1024}});

}  // namespace ddsp
