// Several workers train one model of a gin configuration.
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/datasets/example_set_writer.h"
#include "core/gin/reader.h"
#include "core/models/trainable/gin_model.h"
#include "core/training/train_model.h"
#include "tests/core/training/run_workers.h"
#include "tests/support/test_voice.h"

namespace ddsp::training {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSamples = 6400;

gin::Config Read(const std::string& file, std::vector<std::string> bindings) {
  auto config = gin::ReadConfig(std::string(DDSP_SOURCE_DIR) + "/configs/models/" + file);
  EXPECT_TRUE(config.ok()) << config.status();
  // Without logarithms: the gradient of quiet bins' is rounding, which a library's transform of more rows at once does
  // otherwise.
  bindings.insert(bindings.end(), {"RnnFcDecoder.ch = 8", "RnnFcDecoder.rnn_channels = 8",
                                   "SpectralLoss.fft_sizes = (256, 64)", "SpectralLoss.logmag_weight = 0.0"});
  const absl::Status bound = gin::Override(bindings, &*config);
  EXPECT_TRUE(bound.ok()) << bound;
  return *config;
}

// An impulse response that is learned, and one of filtered noise that is drawn at every step.
gin::Config SoloInstrument() {
  return Read("solo_instrument.gin",
              {"n_samples = 6400", "F0LoudnessPreprocessor.time_steps = 100", "Reverb.reverb_length = 100"});
}
gin::Config Vst() {
  return Read("vst.gin", {"n_samples = 6720", "FilteredNoiseReverb.reverb_length = 480",
                          "FilteredNoiseReverb.n_frames = 10", "FilteredNoiseReverb.n_filter_banks = 4"});
}

NamedTensors Features(int64_t items, int64_t frames = 100) {
  const at::Generator generator = at::detail::createCPUGenerator(1);
  return {{"audio", at::empty({items, kSamples}).uniform_(-0.5, 0.5, generator)},
          {"f0_hz", at::empty({items, frames}).uniform_(100, 400, generator)},
          {"loudness_db", at::empty({items, frames}).uniform_(-60, -10, generator)}};
}

std::unique_ptr<TrainableModel> MakeModel(const gin::Config& config) {
  GinModelOptions options;
  options.generator = at::detail::createCPUGenerator(7);
  auto model = ModelFromGin(config, options);
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

ModelContext Context(const BatchPart& part) {
  ModelContext context;
  context.generator = at::detail::createCPUGenerator(11);
  context.part = part;
  return context;
}

TEST(ModelWorkers, GradientsAreThoseOfOneWorkerWithTheSameBatch) {
  ModelStepOptions options;
  options.clip_norm = 1e9;
  const std::pair<gin::Config, int64_t> recipes[] = {{SoloInstrument(), 100}, {Vst(), 21}};
  for (const auto& [recipe, frames] : recipes) {
    const gin::Config& config = recipe;
    const NamedTensors whole = Features(3, frames);
    const auto model = MakeModel(config);
    ModelStep alone(options, model.get());
    const auto expected = alone.Run(whole, Context({}));
    ASSERT_TRUE(expected.ok()) << expected.status();
    RunWorkers(2, [&](WorkerGroup& group) {
      const auto mine = MakeModel(config);
      ModelStep step(options, mine.get(), &group);
      const int64_t begin = group.rank() == 0 ? 0 : 1, end = group.rank() == 0 ? 1 : 3;
      NamedTensors part;
      for (const auto& [name, values] : whole) part[name] = values.narrow(0, begin, end - begin);
      const auto report = step.Run(part, Context({begin, 3}));
      ASSERT_TRUE(report.ok()) << report.status();
      EXPECT_NEAR(report->loss, expected->loss, 1e-6 * expected->loss);
      EXPECT_NEAR(report->losses.at("spectral_loss"), expected->losses.at("spectral_loss"), 1e-6 * expected->loss);
      for (const auto& [name, gradient] : alone.gradients()) {
        const double norm = gradient.norm().item<double>();
        EXPECT_LE((step.gradients().at(name) - gradient).norm().item<double>(), 1e-5 * norm) << name;
      }
    });
  }
}

// What would stay unseen if each worker drew its own: the noise is as loud as the tones.
TEST(ModelWorkers, DrawWhatOneWorkerDrawsForTheirItems) {
  const auto model = MakeModel(SoloInstrument());
  const NamedTensors whole = Features(4);
  const at::Tensor expected = model->Run(whole, Context({}))->outputs.at("filtered_noise/signal");
  NamedTensors part;
  for (const auto& [name, values] : whole) part[name] = values.narrow(0, 1, 2);
  const at::Tensor made = model->Run(part, Context({1, 4}))->outputs.at("filtered_noise/signal");
  const double loudest = expected.abs().max().item<double>();
  EXPECT_LE((made - expected.narrow(0, 1, 2)).abs().max().item<double>(), 1e-5 * loudest);
  EXPECT_GT((made - expected.narrow(0, 0, 2)).abs().max().item<double>(), 0.3 * loudest);
  EXPECT_EQ(model->Run(part, Context({3, 4})).status().code(), absl::StatusCode::kInvalidArgument);
}

class ModelWorkersRun : public ::testing::Test {
 protected:
  ModelWorkersRun() {
    ExampleSetWriter writer = *ExampleSetWriter::Open(folder_.path() + "/data", {.recipe = "test"});
    EXPECT_TRUE(writer.Add(Features(7)).ok());
    EXPECT_TRUE(writer.Finish().ok());
  }

  TrainModelOptions Options(const std::string& out, int64_t steps) const {
    TrainModelOptions options;
    options.config = SoloInstrument();
    options.dataset = folder_.path() + "/data";
    options.out = folder_.path() + "/" + out;
    options.batch_size = 5;  // does not divide
    options.steps = steps;
    return options;
  }
  static TrainModelEvents Quiet() {
    return {[](const std::string&) {}, [](const TrainingProgress&) { return TrainerVerdict::kContinue; }};
  }
  // Both workers; rank 1 changes its options as it is told.
  static std::vector<absl::Status> Train(TrainModelOptions options,
                                         const std::function<void(TrainModelOptions*)>& change = {}) {
    std::vector<absl::Status> statuses(2);
    std::thread other;
    options.join = JoinOptions();
    options.join.prepare = [&](int port) {
      other = std::thread([&, port] {
        TrainModelOptions here = options;
        here.join.rank = 1;
        here.join.port = port;
        here.join.prepare = nullptr;
        if (change) change(&here);
        statuses[1] = TrainModel(here, Quiet()).status();
      });
      return absl::OkStatus();
    };
    statuses[0] = TrainModel(options, Quiet()).status();
    if (other.joinable()) other.join();
    return statuses;
  }
  std::vector<float> Weights(const std::string& out, const std::string& name) const {
    const auto file = Safetensors::Read(folder_.path() + "/" + out + "/weights.safetensors");
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? file->GetFloats(name).value() : std::vector<float>();
  }

  const ddsp::testing::TempDir folder_;
};

TEST_F(ModelWorkersRun, MakeTheWeightsOfOneWorkerAndGoOnWhereTheyStopped) {
  ASSERT_TRUE(TrainModel(Options("alone", 6), Quiet()).ok());
  for (const int64_t steps : {2, 6}) {
    for (const absl::Status& status : Train(Options("together", steps))) ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/together/checkpoints/checkpoint-000000007.safetensors"));
  for (const char* const name :
       {"decoder/rnn/rnn/cell/kernel", "decoder/dense_out/kernel", "processor_group/reverb/ir"}) {
    const std::vector<float> alone = Weights("alone", name), together = Weights("together", name);
    ASSERT_EQ(alone.size(), together.size());
    ASSERT_FALSE(alone.empty());
    double difference = 0, size = 0;
    for (size_t i = 0; i < alone.size(); ++i) {
      difference += (alone[i] - together[i]) * (alone[i] - together[i]);
      size += alone[i] * alone[i];
    }
    // Adam makes a step of full size of whatever gradient, also one that is rounding.
    EXPECT_LE(difference, 1e-6 * size) << name;
  }
}

TEST_F(ModelWorkersRun, WithOtherDataOrOptionsAreRefused) {
  auto statuses = Train(Options("other", 2), [](TrainModelOptions* options) { options->seed = 2; });
  EXPECT_THAT(std::string(statuses[0].message()), HasSubstr("workers 1 have another set of options"));
  statuses = Train(Options("other", 2), [](TrainModelOptions* options) { options->learning_rate = 0.5; });
  EXPECT_THAT(std::string(statuses[1].message()), HasSubstr("workers 1 have another configuration"));
  ExampleSetWriter writer = *ExampleSetWriter::Open(folder_.path() + "/less", {.recipe = "test"});
  ASSERT_TRUE(writer.Add(Features(6)).ok());
  ASSERT_TRUE(writer.Finish().ok());
  statuses =
      Train(Options("other", 2), [&](TrainModelOptions* options) { options->dataset = folder_.path() + "/less"; });
  EXPECT_THAT(std::string(statuses[0].message()), HasSubstr("workers 1 have another data set"));
  TrainModelOptions tiny = Options("tiny", 2);
  tiny.batch_size = 1;
  for (const absl::Status& status : Train(tiny)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  }
}

// An error at one worker ends all of them, at once.
TEST_F(ModelWorkersRun, OneThatCannotGoOnEndsTheOthers) {
  const NamedTensors whole = Features(2);
  const absl::Time begin = absl::Now();
  RunWorkers(2, [&](WorkerGroup& group) {
    const auto model = MakeModel(SoloInstrument());
    ModelStep step({}, model.get(), &group);
    NamedTensors part;
    for (const auto& [name, values] : whole) part[name] = values.narrow(0, group.rank(), 1);
    if (group.rank() == 1) part.erase("f0_hz");
    const absl::Status status = step.Run(part, Context({group.rank(), 2})).status();
    EXPECT_EQ(status.code(), group.rank() == 1 ? absl::StatusCode::kNotFound : absl::StatusCode::kFailedPrecondition)
        << status;
  });
  EXPECT_LT(absl::Now() - begin, absl::Seconds(60)) << "the group's timeout is five minutes";
}

}  // namespace
}  // namespace ddsp::training
