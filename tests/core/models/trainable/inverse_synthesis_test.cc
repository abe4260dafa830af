#include "core/models/trainable/inverse_synthesis.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/datasets/synthetic_notes.h"
#include "core/dsp/units.h"
#include "core/training/batch_source.h"
#include "core/training/model_step.h"
#include "tests/core/models/trainable/configured.h"

namespace ddsp {
namespace {

using testing::ConfiguredModel;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using testing::SmallInverseSynthesis;
using ::testing::UnorderedElementsAre;

constexpr char kPretrain[] = "papers/icml2020/pretrain_model.gin";
constexpr char kFinetune[] = "papers/icml2020/finetune_model.gin";

NotesSettings SmallNotes() {
  NotesSettings settings;
  settings.n_timesteps = 16;
  settings.n_harmonics = 20;
  settings.n_mags = 9;
  settings.min_note_length = 4;
  settings.max_note_length = 8;
  return settings;
}

NamedTensors Notes(int64_t batch, uint64_t seed) {
  return GenerateNotesV2(SmallNotes(), batch, at::detail::createCPUGenerator(seed));
}

NamedTensors Recording(int64_t batch) { return {{"audio", testing::Tones(batch, 8192, 16).at("audio")}}; }

NamedTensors Zipped(int64_t batch) {
  NamedTensors features = Recording(batch);
  for (const auto& [name, tensor] : Notes(batch, 1)) features["synthetic/" + name] = tensor;
  return features;
}

ModelContext Seeded() {
  ModelContext context;
  context.generator = at::detail::createCPUGenerator(3);
  return context;
}

TEST(InverseSynthesis, FindsSinusoidsAndHarmonicsInAudio) {
  const auto model = ConfiguredModel(kFinetune, SmallInverseSynthesis());
  const ModelOutputs made = *model->Run(Recording(2));
  const auto shape = [&](const char* name) { return made.outputs.at(name).sizes(); };
  EXPECT_EQ(shape("sin_audio"), at::IntArrayRef({2, 8192}));
  EXPECT_EQ(shape("harm_audio"), at::IntArrayRef({2, 8192}));
  EXPECT_EQ(shape("sin_freqs"), at::IntArrayRef({2, 16, 20}));
  EXPECT_EQ(shape("harm_dist"), at::IntArrayRef({2, 16, 20}));
  EXPECT_EQ(shape("f0_hz"), at::IntArrayRef({2, 16, 1}));
  EXPECT_EQ(shape("noise_magnitudes"), at::IntArrayRef({2, 16, 9}));
  EXPECT_THAT(made.outputs, Contains(Key("sinusoidal/controls/frequencies")));
  EXPECT_EQ(model->AudioOutput(), "harm_audio");
  EXPECT_THAT(made.losses,
              UnorderedElementsAre(Key("sin_spectral_loss"), Key("harm_spectral_loss"), Key("kde_consistency_loss")));
}

TEST(InverseSynthesis, LearnsControlsOfSyntheticNotes) {
  const auto model = ConfiguredModel(kPretrain, SmallInverseSynthesis());
  const ModelOutputs made = *model->Run(Notes(2, 1));
  EXPECT_THAT(made.losses,
              UnorderedElementsAre(Key("sin_spectral_loss"), Key("harm_spectral_loss"), Key("kde_consistency_loss"),
                                   Key("ss_kde_consistency_loss"), Key("ss_filtered_noise_consistency_loss"),
                                   Key("ss_harm_amp_loss"), Key("ss_harm_dist_loss"), Key("ss_f0_hz_loss")));
  EXPECT_EQ(made.losses.at("sin_spectral_loss").item<double>(), 0);  // the recipe's weight
}

// Both at once: the losses of the recording are those that it has alone, those of the notes need their controls.
TEST(InverseSynthesis, LearnsFromBothAtOnce) {
  const auto model = ConfiguredModel(kFinetune, SmallInverseSynthesis());
  const ModelOutputs both = *model->Run(Zipped(2), Seeded()), alone = *model->Run(Recording(2), Seeded());
  EXPECT_THAT(both.losses, Contains(Key("ss_f0_hz_loss")));
  EXPECT_EQ(both.outputs.at("f0_hz").size(0), 2);
  EXPECT_LT((both.outputs.at("sin_freqs") - alone.outputs.at("sin_freqs")).abs().max().item<double>(), 0.05);
  EXPECT_NEAR(both.losses.at("kde_consistency_loss").item<double>(),
              alone.losses.at("kde_consistency_loss").item<double>(), 1e-3);
}

// Of the recording alone, as the other losses of resynthesis.
TEST(InverseSynthesis, APriorIsALossOfTheDistribution) {
  GinModelOptions options;
  options.harmonic_distribution_prior = {"few_harmonics",
                                         [](const at::Tensor& d) { return d.square().sum(-1).mean(); }};
  const auto model = ConfiguredModel(kFinetune, SmallInverseSynthesis(), options);
  const ModelOutputs made = *model->Run(Zipped(2), Seeded());
  EXPECT_NEAR(made.losses.at("few_harmonics").item<double>(),
              made.outputs.at("harm_dist").square().sum(-1).mean().item<double>(), 1e-6);
}

TEST(InverseSynthesis, StopsGradientsBetweenHarmonicsAndSinusoids) {
  const auto model = ConfiguredModel(kFinetune, SmallInverseSynthesis());
  SetRequiresGrad(*model, true);
  const ModelOutputs made = *model->Run(Recording(1));
  made.losses.at("harm_spectral_loss").backward();
  const NamedTensors parameters = CollectParameters(*model);
  EXPECT_FALSE(parameters.at("sinusoidal_encoder/dense_outs/0/kernel").grad().defined());
  EXPECT_GT(parameters.at("harmonic_encoder/f0_out/kernel").grad().abs().sum().item<double>(), 0);
}

TEST(InverseSynthesis, HasAReverbUnderItsOwnName) {
  std::vector<std::string> params = SmallInverseSynthesis();
  params.emplace_back("InverseSynthesis.reverb = True");
  const auto model = ConfiguredModel(kPretrain, params);
  EXPECT_EQ(CollectParameters(*model).at("reverb/magnitudes").sizes(), at::IntArrayRef({500, 16}));
  EXPECT_TRUE(model->Run(Notes(1, 1)).ok());
}

TEST(InverseSynthesis, WorksWithoutHarmonics) {
  std::vector<std::string> params = SmallInverseSynthesis();
  params.insert(params.end(),
                {"InverseSynthesis.harmonic_encoder = None", "InverseSynthesis.twm_loss = @losses.TWMLoss()"});
  const auto model = ConfiguredModel(kFinetune, params);
  EXPECT_EQ(model->AudioOutput(), "sin_audio");
  const ModelOutputs made = *model->Run(Recording(1));
  EXPECT_THAT(made.losses, UnorderedElementsAre(Key("sin_spectral_loss"), Key("twm_loss")));
}

TEST(InverseSynthesis, NamesWhatIsMissing) {
  const auto model = ConfiguredModel(kPretrain, SmallInverseSynthesis());
  EXPECT_THAT(std::string(model->Run({}).status().message()), HasSubstr("audio"));
  NamedTensors notes = Notes(1, 1);
  notes.erase("harm_dist");
  EXPECT_THAT(std::string(model->Run(notes).status().message()), HasSubstr("harm_dist"));
  const auto config = testing::ReadConfigs(kPretrain, {"ResnetSinusoidalEncoder.output_splits = (('amplitudes', 9),)"});
  EXPECT_THAT(std::string(ModelFromGin(*config).status().message()), HasSubstr("64 times as many frequencies"));
}

// Median distance in semitones over the frames that sound.
double PitchError(TrainableModel& model, const NamedTensors& notes) {
  const at::NoGradGuard no_gradients;
  const ModelOutputs made = *model.Run(notes, Seeded());
  const at::Tensor known = notes.at("f0_hz"), sounding = notes.at("harm_amp") > 0.01;
  const at::Tensor error = (HzToMidi(made.outputs.at("f0_hz")) - HzToMidi(known)).abs();
  return error.masked_select(sounding & (known > 30)).median().item<double>();
}

// Notes lie anywhere in five octaves, so that the best constant answer is about 15 semitones off. The likelihood of
// sinusoids, whose gradient is hundreds of times as long as the others', only slows so short a training down.
TEST(InverseSynthesis, LearnsPitchFarBetterThanChance) {
  at::set_num_threads(1);  // a step is too small to share
  std::vector<std::string> params = SmallInverseSynthesis();
  params.insert(params.end(), {"InverseSynthesis.stop_gradient = False", "InverseSynthesis.n_samples = 4096",
                               "spectrogram/compute_logmel.fft_size = 1024", "spectrogram/compute_logmel.bins = 160",
                               "KDEConsistencyLoss.weight_a = 0.001", "KDEConsistencyLoss.weight_b = 0.001",
                               "KDEConsistencyLoss.weight_mean_amp = 0.001"});
  const auto model = ConfiguredModel(kPretrain, params);
  const NamedTensors held_out = Notes(32, 12345);
  const double before = PitchError(*model, held_out);
  training::ModelStepOptions options;
  options.learning_rate.peak = 2e-3;
  training::ModelStep step(options, model.get());
  const auto batches = training::BatchesOfNotes(SmallNotes(), 8, 1);
  for (int i = 0; i < 120; ++i) {
    const auto report = step.Run(*batches->Batch(i), Seeded());
    ASSERT_TRUE(report.ok()) << report.status();
  }
  const double after = PitchError(*model, held_out);
  EXPECT_LT(after, 6) << "before: " << before;
  EXPECT_LT(after, 0.5 * before);
}

}  // namespace
}  // namespace ddsp
