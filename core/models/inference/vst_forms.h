// The forms in which a plug-in runs a model of the VST recipe: one frame and one hop per call (upstream:
// training/inference.py).
#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "absl/status/statusor.h"
#include "core/dsp/crepe_network.h"
#include "core/dsp/oscillator.h"
#include "core/nn/rnn_fc_decoder.h"
#include "core/processors/processor.h"

namespace ddsp {

// Features of one frame as the decoder takes them.
struct VstFeatures {
  double f0_hz = 0;
  double f0_scaled = 0;  // MIDI / 127
  double pw_db = 0;      // floor -80
  double pw_scaled = 0;  // pw_db / 80 + 1
};

// Power of the frame that ends now (audio [samples], 16 kHz) beside the pitch that a tracker gave for it. Throws
// ValueError for another shape.
VstFeatures VstExtractFeatures(const at::Tensor& audio, double f0_hz);
// The same with the pitch that CREPE hears in it, [1024]. Upstream: VSTExtractFeatures.
VstFeatures VstExtractFeatures(const at::Tensor& audio, const CrepeNetwork& tracker);

// What the synthesiser takes: amplitudes >= 0, none above Nyquist, the distribution summing to one.
struct VstControls {
  at::Tensor amps;   // [1]
  at::Tensor hd;     // [harmonics]
  at::Tensor noise;  // [bands]
};

struct VstPrediction {
  VstControls controls;
  at::Tensor state;  // [rnn_channels]
};

// A decoder with the processors that turn its outputs into controls.
class VstPredictControls {
 public:
  struct Options {
    RnnFcDecoder::Options decoder;   // inputs pw_scaled and f0_scaled; outputs amps, harmonic_distribution,
                                     // noise_magnitudes
    double sample_rate = 16000;      // Hz
    double noise_initial_bias = -5;  // of FilteredNoise
  };
  // parameters: by path below the model, "decoder/dense_out/bias"; others are ignored.
  // Errors: INVALID_ARGUMENT listing what is wrong with options or parameters.
  static absl::StatusOr<std::unique_ptr<VstPredictControls>> Create(const Options& options,
                                                                    const NamedTensors& parameters);

  // One frame from `state` [rnn_channels], zero if undefined. Upstream: VSTStatelessPredictControls, and with no state
  // carried VSTPredictControls. Errors: INVALID_ARGUMENT for a state of another shape.
  absl::StatusOr<VstPrediction> Predict(double f0_scaled, double pw_scaled, const at::Tensor& state = {}) const;

 private:
  VstPredictControls() = default;

  std::unique_ptr<RnnFcDecoder> decoder_;
  std::unique_ptr<Processor> harmonic_, noise_;
};

// Audio of one hop between two frames.
struct VstFrame {
  double f0_hz = 0;
  VstControls controls;
};
struct VstSynthesis {
  at::Tensor audio;  // [hop]
  double phase = 0;  // radians, in [0, 2 pi): for the next call
};

class VstSynthesize {
 public:
  struct Options {
    int64_t hop_size = 320;      // samples; upstream: new_hop_size
    double sample_rate = 16000;  // Hz, of the audio; upstream keeps the model's, whatever the hop
    PhaseAccumulation accumulation = PhaseAccumulation::kExact;  // upstream: kTracedAngularCumsum
  };
  static absl::StatusOr<std::unique_ptr<VstSynthesize>> Create(const Options& options);

  // Goes from `previous` to `current`, as upstream does over the first half of the hop, then holds. The noise of a hop
  // is filtered without memory of the one before. `noise` [hop] is uniform in [-1, 1); undefined: drawn.
  // Upstream: VSTSynthesize. Errors: INVALID_ARGUMENT for shapes that do not match.
  absl::StatusOr<VstSynthesis> Synthesize(const VstFrame& previous, const VstFrame& current, double phase,
                                          const at::Tensor& noise = {}) const;

 private:
  explicit VstSynthesize(const Options& options) : options_(options) {}

  const Options options_;
  std::unique_ptr<Processor> noise_;
};

}  // namespace ddsp
