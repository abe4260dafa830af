// DDSP-INV: pitch from nothing but the wish to resynthesise (upstream: training/models/inverse_synthesis.py).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/losses/consistency.h"
#include "core/models/trainable/model.h"
#include "core/models/trainable/model_losses.h"
#include "core/models/trainable/prior.h"
#include "core/models/trainable/sinusoidal_encoder.h"
#include "core/models/trainable/trainable_group.h"
#include "core/nn/encoders.h"

namespace ddsp {

// Audio to sinusoids and noise, sinusoids to harmonics, both back to audio.
//
// Features choose what it learns from:
//   audio [batch, samples]                  resynthesis of recordings;
//   sin_amps, sin_freqs, noise_magnitudes, harm_amp, harm_dist, f0_hz (synthetic_notes.h)
//                                           audio made of them, whose controls are known;
//   audio, and those below "synthetic/"     both; losses of resynthesis from the audio alone (upstream: a list of two
//                                           dictionaries).
// Outputs: audio, sin_audio, sin_amps, sin_freqs [batch, frames, sinusoids], noise_magnitudes and the controls of the
// processor group; with a harmonic encoder harm_audio, harm_amp, harm_dist, f0_hz [batch, frames, 1], harm_freqs and
// harm_amps. Of both, those of the audio.
class InverseSynthesis : public TrainableModel {
 public:
  struct Parts {
    std::unique_ptr<ResnetSinusoidalEncoder> sinusoidal_encoder;
    std::unique_ptr<SinusoidalToHarmonicEncoder> harmonic_encoder;  // null: none
    int64_t n_harmonics = 100;                                      // of harmonic_encoder
    std::unique_ptr<TrainableGroup> processor_group;
    std::function<at::Tensor(const at::Tensor& raw)> freq_scale_fn;  // to Hz
    std::vector<AudioLoss> losses;
    std::vector<SinusoidLoss> sinusoidal_consistency_losses;
    // Of the harmonic controls: the one that compares all of them, and those that take them for a sinusoid at f0.
    std::optional<HarmonicConsistencyOptions> harmonic_consistency;
    std::vector<SinusoidLoss> harmonic_consistency_losses;
    std::optional<double> filtered_noise_consistency;  // its weight
    std::optional<TwmOptions> twm;
    ControlPrior harmonic_distribution_prior;  // on harm_dist of the audio
    bool stop_gradient = true;                 // whether errors of the harmonics leave the sinusoids alone
  };
  explicit InverseSynthesis(Parts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<ModelOutputs> Run(const NamedTensors& features, const ModelContext& context = {}) const override;
  std::string AudioOutput() const override { return parts_.harmonic_encoder == nullptr ? "sin_audio" : "harm_audio"; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  using Losses = NamedTensors;
  // Returns everything but losses. Upstream: forward.
  absl::StatusOr<NamedTensors> Forward(const at::Tensor& audio, const ModelContext& context) const;
  // Adds harmonics and their resynthesis to outputs.
  absl::Status AddHarmonics(const ModelContext& context, NamedTensors* outputs) const;
  absl::StatusOr<at::Tensor> AudioOf(const NamedTensors& controls, const ModelContext& context) const;
  absl::Status AddUnsupervised(const NamedTensors& outputs, Losses* losses) const;
  absl::Status AddSupervised(const NamedTensors& outputs, const NamedTensors& known, Losses* losses) const;

  Parts parts_;
};

// models.InverseSynthesis. Null if there is a problem.
std::unique_ptr<TrainableModel> InverseSynthesisFromGin(GinArguments& args);

}  // namespace ddsp
