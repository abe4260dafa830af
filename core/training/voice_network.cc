#include "core/training/voice_network.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/kernels/noise.h"
#include "core/nn/affine.h"
#include "core/nn/gru_sequence.h"
#include "core/processors/harmonic_bank_function.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

// Upstream's vst_48k, and the same at half the rate: more harmonics and bands, a reverb as long in time.
constexpr VoiceShape kWideVst[] = {
    {.sample_rate = 24000, .hop = 480, .harmonics = 100, .noise_bands = 98, .reverb_length = 36000, .reverb_bias = -4},
    {.sample_rate = 48000, .hop = 960, .harmonics = 100, .noise_bands = 98, .reverb_length = 72000, .reverb_bias = -4},
};

std::string Layer(const std::string& stack, int64_t layer) {
  return absl::StrCat("decoder/", stack, "/layer_with_weights-", layer, "/layer_with_weights-");
}

void AddStack(const std::string& stack, int64_t inputs, const VoiceShape& shape,
              std::map<std::string, std::vector<int64_t>>* shapes) {
  for (int64_t layer = 0; layer < shape.layers_per_stack; ++layer) {
    const std::string path = Layer(stack, layer);
    (*shapes)[path + "0/kernel"] = {layer == 0 ? inputs : shape.channels, shape.channels};
    (*shapes)[path + "0/bias"] = {shape.channels};
    (*shapes)[path + "1/gamma"] = {shape.channels};
    (*shapes)[path + "1/beta"] = {shape.channels};
  }
}

at::Tensor Stack(const std::string& stack, const VoiceShape& shape, const Parameters& parameters, at::Tensor x) {
  for (int64_t layer = 0; layer < shape.layers_per_stack; ++layer) {
    const std::string path = Layer(stack, layer);
    x = Affine(x, parameters.at(path + "0/kernel"), parameters.at(path + "0/bias"));
    x = at::layer_norm(x, {shape.channels}, parameters.at(path + "1/gamma"), parameters.at(path + "1/beta"), 1e-3);
    x = at::leaky_relu(x, 0.2);
  }
  return x;
}

// Raw outputs [batch, frames, 1 + harmonics + noise_bands].
at::Tensor Decode(const VoiceShape& shape, const Parameters& parameters, const VoiceControls& controls) {
  const int64_t batch = controls.f0_hz.size(0), frames = controls.f0_hz.size(1);
  const auto rows = [&](const at::Tensor& x) { return x.t().reshape({frames * batch, 1}); };
  const at::Tensor level_scaled = rows(controls.level_db / 80.0 + 1.0);
  const at::Tensor midi = 12.0 * (at::log2(controls.f0_hz) - std::log2(440.0)) + 69.0;
  const at::Tensor f0_scaled = rows(midi / 127.0);
  const at::Tensor power = Stack("input_stacks/0", shape, parameters, level_scaled);
  const at::Tensor pitch = Stack("input_stacks/1", shape, parameters, f0_scaled);
  const std::string cell = "decoder/rnn/rnn/cell/";
  const at::Tensor& bias = parameters.at(cell + "bias");
  const at::Tensor gates = Affine(at::cat({power, pitch}, 1), parameters.at(cell + "kernel"), bias[0]);
  const at::Tensor states =
      GruSequence(gates.view({frames, batch, 3 * shape.rnn_channels}), parameters.at(cell + "recurrent_kernel"),
                  bias[1], at::zeros({batch, shape.rnn_channels}));
  const at::Tensor joined = at::cat({power, pitch, states.reshape({frames * batch, shape.rnn_channels})}, 1);
  const at::Tensor out = Stack("out_stack", shape, parameters, joined);
  const at::Tensor raw =
      Affine(out, parameters.at("decoder/dense_out/kernel"), parameters.at("decoder/dense_out/bias"));
  return raw.view({frames, batch, -1}).transpose(0, 1);
}

// 2 sigmoid(x)^ln(10) + 1e-7.
at::Tensor ExpSigmoid(const at::Tensor& x) { return 2.0 * at::exp(std::numbers::ln10 * at::log_sigmoid(x)) + 1e-7; }

// Amplitudes of the harmonics, silent at and above Nyquist, summing to the overall amplitude.
at::Tensor HarmonicAmplitudes(const VoiceShape& shape, const at::Tensor& raw, const at::Tensor& f0_hz) {
  const at::Tensor amplitude = ExpSigmoid(raw.slice(2, 0, 1));
  const at::Tensor numbers = at::arange(1, shape.harmonics + 1, f0_hz.options());
  const at::Tensor below = (f0_hz.unsqueeze(2) * numbers < shape.sample_rate / 2.0).to(at::kFloat);
  const at::Tensor distribution = ExpSigmoid(raw.slice(2, 1)) * below;
  const at::Tensor total = distribution.sum(2, /*keepdim=*/true);
  return distribution * (amplitude / at::where(total == 0, at::full_like(total, 1e-7), total));
}

// Zero-phase impulse responses, windowed and made causal, of magnitudes [..., bands]: magnitudes times this matrix
// [bands, 2 (bands - 1)]. Inverse real transform, half turn and Hann window are all linear.
at::Tensor ImpulseResponseMatrix(int64_t bands) {
  const int64_t taps = 2 * (bands - 1);
  const auto options = at::TensorOptions().dtype(at::kDouble);
  const at::Tensor n = at::arange(taps, options) - static_cast<double>(taps / 2);
  const at::Tensor k = at::arange(bands, options).unsqueeze(1);
  at::Tensor matrix = at::cos(2 * std::numbers::pi / taps * k * n) * (2.0 / taps);
  matrix[0] /= 2;
  matrix[bands - 1] /= 2;
  return (matrix * at::hann_window(taps, /*periodic=*/true, options)).to(at::kFloat);
}

// Smallest even size with no prime factor above 7 that holds `samples`.
int64_t TransformSize(int64_t samples) {
  for (int64_t size = samples + samples % 2;; size += 2) {
    int64_t rest = size;
    for (const int64_t prime : {2, 3, 5, 7}) {
      while (rest % prime == 0) rest /= prime;
    }
    if (rest == 1) return size;
  }
}

// White noise [batch, frames * hop] through one filter per frame, magnitudes [batch, frames, bands]; aligned as
// upstream's fft_convolve does: the first (taps - 1) / 2 - 1 samples are dropped.
at::Tensor FilterNoise(const at::Tensor& noise, const at::Tensor& magnitudes) {
  const int64_t batch = magnitudes.size(0), frames = magnitudes.size(1), bands = magnitudes.size(2);
  const int64_t taps = 2 * (bands - 1), hop = noise.size(1) / frames;
  const at::Tensor responses = at::matmul(magnitudes, ImpulseResponseMatrix(bands));
  const int64_t size = TransformSize(hop + taps - 1);
  const at::Tensor spectra = at::fft_rfft(noise.view({batch, frames, hop}), size) * at::fft_rfft(responses, size);
  const int64_t pieces = (hop + taps - 2) / hop + 1;
  at::Tensor blocks = at::fft_irfft(spectra, size);
  // A frame's sound reaches into the hops after it: piece p of frame k falls into hop k + p.
  at::Tensor audio = at::zeros({batch, frames + pieces - 1, hop}, noise.options());
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t begin = piece * hop, end = std::min(begin + hop, hop + taps - 1);
    audio =
        audio + at::constant_pad_nd(blocks.slice(2, begin, end), {0, hop - (end - begin), piece, pieces - 1 - piece});
  }
  return audio.reshape({batch, (frames + pieces - 1) * hop})
      .slice(1, (taps - 1) / 2 - 1, (taps - 1) / 2 - 1 + frames * hop);
}

at::Tensor Convolve(const at::Tensor& audio, const at::Tensor& impulse_response) {
  const int64_t samples = audio.size(1), size = TransformSize(samples + impulse_response.size(1) - 1);
  const at::Tensor spectrum = at::fft_rfft(audio, size) * at::fft_rfft(impulse_response, size);
  return at::fft_irfft(spectrum, size).slice(1, 0, samples);
}

at::Tensor Glorot(const std::vector<int64_t>& shape, at::Generator& generator) {
  const double limit = std::sqrt(6.0 / (shape[0] + shape[1]));
  return at::empty(shape).uniform_(-limit, limit, generator);
}

at::Tensor Orthogonal(const std::vector<int64_t>& shape, at::Generator& generator) {
  const auto [q, r] = at::linalg_qr(at::empty({shape[1], shape[0]}).normal_(0, 1, generator));
  return (q * at::sign(at::diagonal(r))).t().contiguous();
}

bool EndsWith(const std::string& text, std::string_view end) { return text.ends_with(end); }

}  // namespace

std::vector<std::string> RecipeNames() {
  std::vector<std::string> names = {NameOf(Recipe::kSoloInstrument), NameOf(Recipe::kVst)};
  for (const VoiceShape& shape : kWideVst) names.push_back(NameOf(shape));
  return names;
}

std::string NameOf(Recipe recipe) { return recipe == Recipe::kVst ? "vst" : "solo_instrument"; }

std::string NameOf(const VoiceShape& shape) {
  return shape.sample_rate == 16000 ? NameOf(shape.recipe)
                                    : absl::StrCat(NameOf(shape.recipe), "_", shape.sample_rate / 1000, "k");
}

SpectralLossOptions RecipeLoss(int64_t sample_rate) {
  SpectralLossOptions options = RecipeSpectralLoss();
  for (int64_t longer = 1; longer * 16000 < sample_rate; longer *= 2) {
    for (int64_t& size : options.fft_sizes) size *= 2;
  }
  return options;
}

std::string ReverbParameter(Recipe recipe) {
  return recipe == Recipe::kVst ? "processor_group/reverb/magnitudes" : "processor_group/reverb/ir";
}

absl::StatusOr<VoiceShape> RecipeShape(const std::string& recipe) {
  VoiceShape shape;
  if (recipe == NameOf(Recipe::kVst)) return shape;
  if (recipe == NameOf(Recipe::kSoloInstrument)) {
    shape.recipe = Recipe::kSoloInstrument;
    shape.hop = 64;
    shape.channels = 512;
    shape.layers_per_stack = 3;
    shape.reverb_length = 48000;
    return shape;
  }
  for (const VoiceShape& wide : kWideVst) {
    if (recipe == NameOf(wide)) return wide;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no recipe '", recipe, "'; there is: ", absl::StrJoin(RecipeNames(), ", ")));
}

std::map<std::string, std::vector<int64_t>> ParameterShapes(const VoiceShape& shape) {
  std::map<std::string, std::vector<int64_t>> shapes;
  const int64_t stacked = shape.layers_per_stack == 0 ? 1 : shape.channels;
  AddStack("input_stacks/0", 1, shape, &shapes);
  AddStack("input_stacks/1", 1, shape, &shapes);
  AddStack("out_stack", 2 * stacked + shape.rnn_channels, shape, &shapes);
  const int64_t gates = 3 * shape.rnn_channels, outputs = 1 + shape.harmonics + shape.noise_bands;
  shapes["decoder/rnn/rnn/cell/kernel"] = {2 * stacked, gates};
  shapes["decoder/rnn/rnn/cell/recurrent_kernel"] = {shape.rnn_channels, gates};
  shapes["decoder/rnn/rnn/cell/bias"] = {2, gates};
  shapes["decoder/dense_out/kernel"] = {shape.layers_per_stack == 0 ? 2 * stacked + shape.rnn_channels : shape.channels,
                                        outputs};
  shapes["decoder/dense_out/bias"] = {outputs};
  shapes[ReverbParameter(shape.recipe)] = shape.recipe == Recipe::kVst
                                              ? std::vector{shape.reverb_frames, shape.reverb_bands}
                                              : std::vector{shape.reverb_length};
  return shapes;
}

Parameters InitialParameters(const VoiceShape& shape, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  Parameters parameters;
  for (const auto& [name, sizes] : ParameterShapes(shape)) {
    if (EndsWith(name, "recurrent_kernel")) {
      parameters[name] = Orthogonal(sizes, generator);
    } else if (EndsWith(name, "kernel")) {
      parameters[name] = Glorot(sizes, generator);
    } else if (name == ReverbParameter(shape.recipe)) {
      parameters[name] = at::empty(sizes).normal_(0, shape.recipe == Recipe::kVst ? 1e-2 : 1e-6, generator);
    } else {
      parameters[name] = EndsWith(name, "gamma") ? at::ones(sizes) : at::zeros(sizes);
    }
  }
  return parameters;
}

VoiceNoise DrawNoise(const VoiceShape& shape, uint64_t seed, int64_t step, int64_t first_item, int64_t batch,
                     int64_t frames) {
  VoiceNoise noise{at::empty({batch, frames * shape.hop}), {}};
  const int64_t samples = frames * shape.hop;
  kernels::UniformNoise(DeriveSeed(seed, "audio noise", step), first_item * samples,
                        absl::MakeSpan(noise.audio.data_ptr<float>(), noise.audio.numel()));
  if (shape.recipe != Recipe::kVst) return noise;
  noise.reverb = at::empty({1, shape.reverb_length});
  kernels::UniformNoise(DeriveSeed(seed, "reverb noise", step), 0,
                        absl::MakeSpan(noise.reverb.data_ptr<float>(), noise.reverb.numel()));
  return noise;
}

at::Tensor ReverbImpulseResponse(const VoiceShape& shape, const Parameters& parameters,
                                 const at::Tensor& reverb_noise) {
  const at::Tensor& weights = parameters.at(ReverbParameter(shape.recipe));
  const at::Tensor response = shape.recipe == Recipe::kVst
                                  ? FilterNoise(reverb_noise, ExpSigmoid(weights + shape.reverb_bias).unsqueeze(0))
                                  : weights.unsqueeze(0);
  return at::constant_pad_nd(response.slice(1, 1), {1, 0});
}

at::Tensor Synthesize(const VoiceShape& shape, const Parameters& parameters, const VoiceControls& controls,
                      const at::Tensor& audio_noise, const at::Tensor& impulse_response) {
  const at::Tensor raw = Decode(shape, parameters, controls);
  const at::Tensor amplitudes = HarmonicAmplitudes(shape, raw.slice(2, 0, 1 + shape.harmonics), controls.f0_hz);
  HarmonicSynthesisOptions bank;
  bank.n_samples = controls.f0_hz.size(1) * shape.hop;
  bank.sample_rate = static_cast<double>(shape.sample_rate);
  bank.amp_resample_method = shape.recipe == Recipe::kVst ? Interpolation::kLinear : Interpolation::kWindow;
  const at::Tensor harmonic = HarmonicBankAudio(controls.f0_hz, amplitudes, bank);
  const at::Tensor noise = FilterNoise(audio_noise, ExpSigmoid(raw.slice(2, 1 + shape.harmonics) + shape.noise_bias));
  const at::Tensor dry = harmonic + noise;
  const at::Tensor audio = dry + Convolve(dry, impulse_response);
  return shape.recipe == Recipe::kVst ? audio.slice(1, 0, audio.size(1) - shape.hop) : audio;
}

}  // namespace ddsp::training
