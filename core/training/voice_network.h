// The recipes as differentiable functions of their weights, arranged for training speed.
//
// The same mathematics as RnnFcDecoder, Harmonic, FilteredNoise, Add, Reverb or FilteredNoiseReverb, and Crop (which
// are its oracle in the tests): sequences run time-major, impulse responses are one matrix product, the harmonic bank
// is the fused kernel.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/losses/spectral_loss.h"

namespace ddsp::training {

enum class Recipe {
  // Power and pitch at 50 frames a second; amplitudes ramp; the reverb is filtered noise. A last frame ends the audio.
  kVst,
  // Loudness and pitch at 250 frames a second; amplitudes cross-fade by windows; the reverb is an impulse response. The
  // last frame is held.
  kSoloInstrument,
};

// "solo_instrument", "vst", and "vst_24k", "vst_48k" at these rates.
std::vector<std::string> RecipeNames();

struct VoiceShape {
  Recipe recipe = Recipe::kVst;
  int64_t sample_rate = 16000;  // Hz
  int64_t hop = 320;            // samples between frames
  int64_t channels = 256;       // of the stacks
  int64_t layers_per_stack = 1;
  int64_t rnn_channels = 512;
  int64_t harmonics = 60;
  int64_t noise_bands = 65;
  double noise_bias = -5;
  int64_t reverb_length = 24000;  // samples
  int64_t reverb_frames = 500;    // divides the length
  int64_t reverb_bands = 32;
  double reverb_bias = -3;  // frames, bands and bias are those of filtered noise

  // Of the controls that make so many samples, a multiple of the hop.
  int64_t frames(int64_t samples) const { return samples / hop + (recipe == Recipe::kVst ? 1 : 0); }
};

// As published. Errors: INVALID_ARGUMENT that lists the recipes.
absl::StatusOr<VoiceShape> RecipeShape(const std::string& recipe);
std::string NameOf(Recipe recipe);            // at 16 kHz
std::string NameOf(const VoiceShape& shape);  // "vst_48k"

// The recipes' loss at a rate: windows of a power of two, at least as long as the published ones of 16 kHz.
SpectralLossOptions RecipeLoss(int64_t sample_rate);
// The weight that the reverb is made of.
std::string ReverbParameter(Recipe recipe);

// Weights by upstream's checkpoint path: "decoder/rnn/rnn/cell/kernel", "processor_group/reverb/magnitudes", ...
using Parameters = std::map<std::string, at::Tensor>;

// Names and shapes of all weights.
std::map<std::string, std::vector<int64_t>> ParameterShapes(const VoiceShape& shape);

// Fresh weights, as Keras initialises them; a pure function of shape and seed.
Parameters InitialParameters(const VoiceShape& shape, uint64_t seed);

// Frames centred on samples 0, hop, 2 hop, ...; all [batch, frames].
struct VoiceControls {
  at::Tensor level_db;  // power or loudness, see Recipe
  at::Tensor f0_hz;     // > 0
};

// White noise, uniform in [-1, 1).
struct VoiceNoise {
  at::Tensor audio;   // [batch, frames * hop]
  at::Tensor reverb;  // [1, reverb_length], for a reverb of filtered noise
};

// The draws of one step: a pure function of the arguments. Items first_item .. first_item + batch of the whole batch.
VoiceNoise DrawNoise(const VoiceShape& shape, uint64_t seed, int64_t step, int64_t first_item, int64_t batch,
                     int64_t frames);

// [1, reverb_length]; its first sample is 0, the dry signal's place.
at::Tensor ReverbImpulseResponse(const VoiceShape& shape, const Parameters& parameters, const at::Tensor& reverb_noise);

// Audio [batch, samples] of shape.frames(samples) frames. `impulse_response` [1, reverb_length].
at::Tensor Synthesize(const VoiceShape& shape, const Parameters& parameters, const VoiceControls& controls,
                      const at::Tensor& audio_noise, const at::Tensor& impulse_response);

}  // namespace ddsp::training
