// Encoders of audio and features into a latent z (upstream: training/encoders.py).
#pragma once

#include <ATen/ATen.h>

#include "core/dsp/spectrogram.h"
#include "core/nn/fully_connected.h"
#include "core/nn/normalization.h"
#include "core/nn/rnn_layers.h"

namespace ddsp {

// z [batch, steps, dims] or [batch, dims] resampled to time_steps. Upstream: ZEncoder.expand_z.
at::Tensor ExpandZ(const at::Tensor& z, int64_t time_steps);

// 30 MFCCs, normalised over time, through an RNN: one z for each frame. Upstream: MfccTimeDistributedRnnEncoder.
class MfccTimeDistributedRnnEncoder : public Layer {
 public:
  struct Options {
    int64_t rnn_channels = 512;
    RnnType rnn_type = RnnType::kGru;
    int64_t z_dims = 32;
    int64_t z_time_steps = 250;  // in 4 s of audio at 16 kHz: 63, 125, 250, 500 or 1000
  };
  // Throws ValueError for another number of time steps.
  explicit MfccTimeDistributedRnnEncoder(const Options& options);
  // audio [batch, samples] to z [batch, time_steps, z_dims].
  at::Tensor Forward(const at::Tensor& audio, int64_t time_steps) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  StftOptions stft_;
  Normalize z_norm_;
  Rnn rnn_;
  Dense dense_out_;
};

// The same averaged over time into one z. Upstream: MfccRnnEncoder with mean_aggregate.
class MfccRnnEncoder : public Layer {
 public:
  struct Options {
    int64_t rnn_channels = 512;
    RnnType rnn_type = RnnType::kGru;
    int64_t z_dims = 512;
  };
  explicit MfccRnnEncoder(const Options& options);
  // audio [batch, samples] to z [batch, time_steps, z_dims].
  at::Tensor Forward(const at::Tensor& audio, int64_t time_steps) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Normalize norm_in_;
  Rnn rnn_;
  Dense dense_z_;
};

// Mean over time of a dense layer over pitch and loudness. Upstream: AggregateFeaturesEncoder.
class AggregateFeaturesEncoder : public Layer {
 public:
  explicit AggregateFeaturesEncoder(int64_t ch) : fc_(2, ch) {}
  // f0_scaled, ld_scaled [batch, time, 1] to z [batch, time, ch].
  at::Tensor Forward(const at::Tensor& f0_scaled, const at::Tensor& ld_scaled) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Dense fc_;
};

// A learned vector for each of `vocab_size` categories. Upstream: OneHotEncoder with skip_expand.
class OneHotEncoder : public Layer {
 public:
  OneHotEncoder(int64_t vocab_size, int64_t n_dims) : embeddings_({vocab_size, n_dims}, Initializer::kGlorotUniform) {}
  // indices [batch, time], 0 to vocab_size - 1, to z [batch, time, n_dims]. Throws IndexError for others.
  at::Tensor Forward(const at::Tensor& indices) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Parameter embeddings_;
};

// Harmonic controls from sinusoids. Upstream: SinusoidalToHarmonicEncoder with an RnnSandwich.
class SinusoidalToHarmonicEncoder : public Layer {
 public:
  struct Options {
    RnnSandwich::Options net;  // `in` is twice the sinusoids
    int64_t n_harmonics = 100;
    int64_t f0_depth = 64;       // softmax bins from 20 Hz to 1200 Hz
    double sample_rate = 16000;  // Hz
  };
  explicit SinusoidalToHarmonicEncoder(const Options& options);
  // sin_freqs (Hz), sin_amps [batch, time, sinusoids]. Returns harm_amp, harm_dist, f0_hz.
  NamedTensors Forward(const at::Tensor& sin_freqs, const at::Tensor& sin_amps) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Options options_;
  RnnSandwich net_;
  Dense amp_out_, hd_out_, f0_out_;
};

}  // namespace ddsp
