// An instrument learned from recordings: they become a data set, an autoencoder is trained on it, and plays it back.
// (Upstream: demo train_autoencoder.)  train_autoencoder RECORDINGS FOLDER [STEPS]
//
// The published instruments train for 30,000 steps on ten minutes; a few hundred steps on seconds of sound show the
// way, and already sing along.
#include <torch/torch.h>

#include <cmath>
#include <filesystem>

#include "core/base/status_macros.h"
#include "core/datasets/example_set_writer.h"
#include "core/gin/reader.h"
#include "core/models/trainable/gin_model.h"
#include "core/training/batch_source.h"
#include "core/training/dataset_builder.h"
#include "core/training/example_windows.h"
#include "core/training/model_step.h"
#include "examples/show.h"

namespace ddsp::examples {
namespace {

constexpr int64_t kWindow = 16000;  // samples of an example

// solo_instrument, small: 50 frames a second, 40 harmonics, a quarter of a second of room.
constexpr char kModel[] = R"(
get_model.model = @models.Autoencoder()
Autoencoder:
    preprocessor = @preprocessing.F0LoudnessPreprocessor()
    decoder = @decoders.RnnFcDecoder()
    processor_group = @processors.ProcessorGroup()
    losses = [@losses.SpectralLoss()]
F0LoudnessPreprocessor.time_steps = 50
F0LoudnessPreprocessor.frame_rate = 50
RnnFcDecoder:
    rnn_channels = 64
    ch = 64
    layers_per_stack = 1
    input_keys = ('ld_scaled', 'f0_scaled')
    output_splits = (('amps', 1), ('harmonic_distribution', 40), ('noise_magnitudes', 33))
ProcessorGroup.dag = [
    (@synths.Harmonic(), ['amps', 'harmonic_distribution', 'f0_hz']),
    (@synths.FilteredNoise(), ['noise_magnitudes']),
    (@processors.Add(), ['filtered_noise/signal', 'harmonic/signal']),
    (@effects.Reverb(), ['add/signal']),
]
Harmonic.n_samples = 16000
FilteredNoise.n_samples = 16000
FilteredNoise.window_size = 0
Reverb.trainable = True
Reverb.reverb_length = 4000
SpectralLoss.logmag_weight = 1.0
)";

// One frame more than a second has: they are centred.
NamedTensors ExampleOf(const training::Dataset& dataset, const training::Segment& window) {
  at::Tensor audio = at::empty({1, kWindow});
  training::CopyAudio(dataset, window, audio.mutable_data_ptr<float>());
  std::vector<float> f0_hz, confidence, loudness_db;
  for (const FeatureFrame& frame : training::CopyFrames(dataset, window)) {
    f0_hz.push_back(frame.f0_hz);
    confidence.push_back(frame.f0_confidence);
    loudness_db.push_back(frame.loudness_db);
  }
  const auto row = [](const std::vector<float>& values) { return at::tensor(values).unsqueeze(0); };
  return {
      {"audio", audio}, {"f0_hz", row(f0_hz)}, {"f0_confidence", row(confidence)}, {"loudness_db", row(loudness_db)}};
}

// Windows of a second, five of which begin in each. (Upstream: ddsp_prepare_tfrecord.)
absl::StatusOr<ExampleSet> Prepare(const std::string& recordings, const std::string& directory) {
  ASSIGN_OR_RETURN(const training::Dataset dataset, training::BuildDataset(recordings, {}));
  std::printf("%.1f s of recordings, %.1f s of them voiced\n", dataset.seconds(), dataset.voiced_seconds());
  const training::ExampleWindows windows = training::ListWindows(
      dataset, training::WholeRecordings(dataset), {.window_samples = kWindow, .hop_samples = kWindow / 5});
  std::filesystem::remove_all(directory);
  ExampleSetWriter::Options options;
  options.recipe = "windows of a second of " + recordings;
  options.sample_rate = dataset.settings.sample_rate;
  options.frame_rate = dataset.settings.frame_rate;
  ASSIGN_OR_RETURN(ExampleSetWriter writer, ExampleSetWriter::Open(directory, options));
  for (const training::Segment& window : windows.windows) RETURN_IF_ERROR(writer.Add(ExampleOf(dataset, window)));
  RETURN_IF_ERROR(writer.Finish());
  return ExampleSet::Open(directory);
}

void Train(const ExampleSet& examples, int64_t steps, TrainableModel* model) {
  training::ModelStepOptions options;
  options.learning_rate.peak = 3e-3;
  training::ModelStep step(options, model);
  const auto batches = training::BatchesOfExamples(examples, /*batch_size=*/4, /*seed=*/1);
  const int64_t between = std::max<int64_t>(1, steps / 5);
  double sum = 0;
  for (int64_t i = 1; i <= steps; ++i) {
    sum += Must(step.Run(Must(batches->Batch(i)), {})).loss;
    if (i % between != 0) continue;
    std::printf("step %4d  loss %.3f\n", static_cast<int>(i), sum / static_cast<double>(between));
    std::fflush(stdout);
    sum = 0;
  }
}

}  // namespace
}  // namespace ddsp::examples

int main(int argc, char** argv) {
  using namespace ddsp;
  using namespace ddsp::examples;
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: %s RECORDINGS FOLDER [STEPS]\n", argv[0]);
    return 2;
  }
  Arguments arguments;
  arguments.folder = argv[2];
  std::filesystem::create_directories(arguments.folder);
  torch::manual_seed(1);
  torch::set_num_threads(1);  // a step is too small to share
  const ExampleSet examples = Must(Prepare(argv[1], arguments.folder + "/examples"));
  const auto model = Must(ModelFromGin(Must(gin::ParseConfig(kModel))));
  std::printf("%d examples, %d weights\n", static_cast<int>(examples.size()),
              static_cast<int>(CountParameters(*model)));
  Train(examples, argc > 3 ? std::atoi(argv[3]) : 300, model.get());

  const at::NoGradGuard no_gradients;
  const NamedTensors example = Must(examples.Batch({examples.size() / 2}));
  Show(arguments, "recording", example.at("audio"));
  Show(arguments, "resynthesis", Must(model->Run(example)).outputs.at("audio_synth"));
}
