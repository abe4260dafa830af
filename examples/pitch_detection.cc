// Pitch without labels: a model that takes sound apart into sinusoids and those into harmonics, trained on made-up
// notes alone, and what it hears in a melody that it never met. (Upstream: demo pitch_detection.)
//
// A small network trained for a minute is no match for the published one (60 million weights, a million steps): what
// comes out is the method, not the quality.
#include <torch/torch.h>

#include <cmath>

#include "core/dsp/resample.h"
#include "core/dsp/units.h"
#include "core/features/feature_extractor.h"
#include "core/gin/reader.h"
#include "core/models/trainable/gin_model.h"
#include "core/picture/image.h"
#include "core/processors/synths.h"
#include "core/training/batch_source.h"
#include "core/training/model_step.h"
#include "examples/show.h"

namespace ddsp::examples {
namespace {

constexpr int64_t kHop = 512;  // samples from frame to frame

constexpr char kModel[] = R"(
get_model.model = @models.InverseSynthesis()
InverseSynthesis:
    sinusoidal_encoder = @encoders.ResnetSinusoidalEncoder()
    harmonic_encoder = @encoders.SinusoidalToHarmonicEncoder()
    sinusoidal_consistency_losses = [@losses.KDEConsistencyLoss()]
    harmonic_consistency_losses = [@losses.HarmonicConsistencyLoss()]
    filtered_noise_consistency_loss = @losses.FilteredNoiseConsistencyLoss()
    reverb = False
    stop_gradient = False
    n_samples = %n_samples
ResnetSinusoidalEncoder:
    size = 'tiny'
    output_splits = (('frequencies', 1280), ('amplitudes', 20), ('noise_magnitudes', 9))
compute_logmel:
    lo_hz = 0.0
    hi_hz = 8000.0
    bins = 160
SinusoidalToHarmonicEncoder.net = @nn.RnnSandwich()
SinusoidalToHarmonicEncoder.n_harmonics = 20
RnnSandwich.fc_stack_ch = 64
RnnSandwich.rnn_ch = 64
# Their gradient is so long that it would slow a short training down.
KDEConsistencyLoss:
    weight_a = 0.001
    weight_b = 0.001
    weight_mean_amp = 0.001
)";

NotesSettings NotesLike(int64_t frames) {
  NotesSettings settings;
  settings.n_timesteps = frames;
  settings.n_harmonics = 20;
  settings.n_mags = 9;
  return settings;
}

// Semitones between what the model hears and what is played, in the median over frames that sound.
double PitchError(const TrainableModel& model, const NamedTensors& notes) {
  const at::NoGradGuard no_gradients;
  const at::Tensor heard = Must(model.Run(notes)).outputs.at("f0_hz");
  const at::Tensor error = (HzToMidi(heard) - HzToMidi(notes.at("f0_hz"))).abs();
  return error.masked_select(notes.at("harm_amp") > 0.01).median().item<double>();
}

void Train(TrainableModel& model, int64_t frames, int64_t steps) {
  training::ModelStepOptions options;
  options.learning_rate.peak = 1e-3;
  training::ModelStep step(options, &model);
  const auto batches = training::BatchesOfNotes(NotesLike(frames), 8, 1);
  const NamedTensors unheard = GenerateNotesV2(NotesLike(frames), 8, at::make_generator<at::CPUGeneratorImpl>(99));
  for (int64_t i = 0; i <= steps; ++i) {
    if (i % std::max<int64_t>(1, steps / 4) == 0) {
      std::printf("step %4d  pitch is off by %.2f semitones\n", static_cast<int>(i), PitchError(model, unheard));
      std::fflush(stdout);
    }
    if (i < steps) Must(step.Run(Must(batches->Batch(i)), {}));
  }
}

// Three sung notes: twelve harmonics, a vibrato, a swell for each.
at::Tensor Melody(int64_t samples) {
  const int64_t frames = samples / 128;  // 125 a second
  const at::Tensor t = at::arange(frames) / static_cast<double>(frames);
  const at::Tensor note = at::floor(t * 3), within = t * 3 - note;
  const at::Tensor midi = 57 + 3 * note + 0.3 * at::sin(2 * M_PI * 5.5 * at::arange(frames) / 125);
  const at::Tensor number = at::arange(1, 13).to(at::kFloat);
  const Harmonic harmonic({.n_samples = samples, .scale_fn = ScaleFn::kNone});
  return Must(harmonic.Run({{"amplitudes", (0.5 * at::sin(M_PI * within).sqrt()).reshape({1, frames, 1})},
                            {"harmonic_distribution", (1 / number).expand({1, frames, 12})},
                            {"f0_hz", MidiToHz(midi).reshape({1, frames, 1})}}))
      .signal.to(at::kFloat);
}

// The pitch tracker of voices, one value per frame of the model.
at::Tensor Tracked(const at::Tensor& audio, int64_t frames) {
  const auto extractor = Must(FeatureExtractor::Create({}));
  const at::Tensor flat = audio.flatten().contiguous();
  std::vector<float> f0_hz;
  for (const FeatureFrame& frame : extractor->Extract({flat.data_ptr<float>(), static_cast<size_t>(flat.numel())})) {
    f0_hz.push_back(frame.f0_hz);
  }
  return Resample(at::tensor(f0_hz).reshape({1, -1, 1}), frames);
}

// The sound of one sinusoid at the pitch, from a table of one period.
at::Tensor SineAt(const at::Tensor& f0_hz, int64_t samples) {
  const int64_t frames = f0_hz.size(1);
  const at::Tensor period = at::sin(at::arange(512) * (2 * M_PI / 512)).to(at::kFloat).expand({1, frames, 512});
  const Wavetable wavetable({.n_samples = samples, .scale_fn = ScaleFn::kNone});
  return Must(wavetable.Run({{"amplitudes", at::full({1, frames, 1}, 0.5)}, {"wavetables", period}, {"f0_hz", f0_hz}}))
      .signal;
}

// Both curves over two and a half octaves about the melody: the tracker's broad, the model's narrow.
void DrawPitch(const Arguments& arguments, const at::Tensor& tracked, const at::Tensor& model) {
  constexpr int kWidth = 900, kHeight = 400;
  constexpr double kLowest = 45, kHighest = 75;  // MIDI
  Image image(kWidth, kHeight, {255, 255, 255});
  const auto draw = [&](const at::Tensor& f0_hz, int size, Colour colour) {
    const at::Tensor midi = Resample(HzToMidi(f0_hz), kWidth).flatten().to(at::kDouble);
    for (int x = 0; x < kWidth; ++x) {
      const double height = (midi[x].item<double>() - kLowest) / (kHighest - kLowest);
      image.Fill(x, static_cast<int>((1 - height) * kHeight) - size / 2, 2, size, colour);
    }
  };
  draw(tracked, 9, {170, 200, 230});
  draw(model, 3, {200, 40, 40});
  image.Write(10, 10, "TRACKER: BROAD, MODEL: NARROW", 2, {0, 0, 0});
  const absl::Status saved = image.SavePng(arguments.folder + "/f0.png");
  if (!saved.ok()) Must<int>(saved);
}

}  // namespace
}  // namespace ddsp::examples

int main(int argc, char** argv) {
  using namespace ddsp;
  using namespace ddsp::examples;
  const Arguments arguments = ParseArguments(argc, argv);
  torch::manual_seed(1);
  torch::set_num_threads(1);  // a step is too small to share
  const int64_t frames = std::max<int64_t>(4, arguments.samples() / kHop), samples = frames * kHop;
  const gin::Config config = Must(gin::ParseConfig("n_samples = " + std::to_string(samples) + "\n" + kModel));
  const auto model = Must(ModelFromGin(config));
  Train(*model, frames, static_cast<int64_t>(120 * arguments.seconds));

  const at::Tensor melody = Melody(samples);
  const at::NoGradGuard no_gradients;
  const NamedTensors heard = Must(model->Run({{"audio", melody}})).outputs;
  const at::Tensor f0_hz = heard.at("f0_hz"), tracked = Tracked(melody, frames);
  Show(arguments, "melody", melody);
  Show(arguments, "sinusoidal", heard.at("sin_audio"));
  Show(arguments, "harmonic", heard.at("harm_audio"));
  Show(arguments, "sine", SineAt(f0_hz, samples));
  DrawPitch(arguments, tracked, f0_hz);
  for (int64_t t = 0; t < frames; t += std::max<int64_t>(1, frames / 8)) {
    std::printf("%5.2f s  tracker %6.1f Hz  model %6.1f Hz\n", static_cast<double>(t * kHop) / kSampleRate,
                tracked[0][t][0].item<double>(), f0_hz[0][t][0].item<double>());
  }
}
