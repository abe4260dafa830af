#include "core/graph/streaming_group.h"

#include <random>

#include "core/graph/processor_group.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;
using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kBatch = 2, kHop = 80, kFrames = 11, kSamples = kFrames * kHop;

// Two synths of different latency, an effect with frames of its own behind them, a reverb, and a crop.
GraphSpec Voice() {
  GraphSpec spec;
  spec.inputs = {"amps", "distribution", "f0_hz", "noise", "tone"};
  spec.nodes = {
      {"harmonic", "synths.Harmonic", {{"n_samples", kSamples}}, {"amps", "distribution", "f0_hz"}},
      {"noise_synth", "synths.FilteredNoise", {{"n_samples", kSamples}}, {"noise"}},
      {"octave", "synths.Harmonic", {{"n_samples", kSamples}}, {"amps", "distribution", "harmonic/controls/f0_hz"}},
      {"add", "processors.Add", {}, {"noise_synth/signal", "harmonic/signal"}},
      {"both", "processors.Add", {}, {"add/signal", "octave/signal"}},
      {"filter", "effects.FIRFilter", {}, {"both/signal", "tone"}},
      {"reverb", "effects.ExpDecayReverb", {{"trainable", true}, {"reverb_length", int64_t{500}}}, {"filter/signal"}},
      {"crop", "processors.Crop", {{"frame_size", kHop}}, {"reverb/signal"}},
  };
  return spec;
}

NamedTensors VoiceInputs() {
  at::manual_seed(4);
  return {{"amps", at::randn({kBatch, kFrames, 1})},
          {"distribution", at::randn({kBatch, kFrames, 12})},
          {"f0_hz", 100 + 300 * at::rand({kBatch, kFrames, 1})},
          {"noise", at::randn({kBatch, kFrames, 65})},
          {"tone", at::randn({kBatch, kFrames, 17})}};
}

StreamLayout VoiceLayout() { return {kBatch, kHop, {{"noise", 65}, {"tone", 17}}}; }

template <typename Next>
Tensor InBlocks(const StreamingGroup& group, const NamedTensors& inputs, StreamingGroup::State& state, Next next) {
  std::vector<Tensor> signal;
  int64_t released = 0;
  for (int64_t begin = 0; begin < kSamples;) {
    StreamBlock block;
    block.samples = std::min<int64_t>(next(), kSamples - begin);
    for (const auto& [name, x] : inputs) {
      const bool frames = x.size(1) == kFrames;
      block.inputs[name] = frames ? x.narrow(1, FramesIn(0, begin, kHop), FramesIn(begin, block.samples, kHop))
                                  : x.narrow(1, begin, block.samples);
    }
    auto made = group.Process(block, state);
    EXPECT_TRUE(made.ok()) << made.status();
    if (!made.ok()) return {};
    signal.push_back(*made);
    begin += block.samples;
    released += made->size(1);
    EXPECT_EQ(released, std::max<int64_t>(0, begin - group.latency_samples()));
  }
  signal.push_back(*group.Finish(state));
  return at::cat(signal, 1);
}

TEST(StreamingGroup, IsTheWholeGraphForAnyChunking) {
  const NamedTensors inputs = VoiceInputs();
  const NamedTensors parameters = {{"reverb/gain", at::ones({1})}, {"reverb/decay", at::full({1}, 2.0)}};
  const ProcessorGroup whole_group(*ValidateGraphSpec(Voice()));
  GroupContext context;
  context.parameters = parameters;
  context.seed = 21;
  const Tensor whole = *whole_group.GetSignal(inputs, context);
  const auto group = StreamingGroup::Create(Voice(), VoiceLayout());
  ASSERT_TRUE(group.ok()) << group.status();
  EXPECT_EQ(group->OutputSamples(kSamples), whole.size(1));
  std::mt19937 random(2);
  for (const int64_t largest : {1, 7, 79, 80, 81, 131, 400, 2000}) {
    const auto state = *group->MakeState({}, {parameters, 21});
    const Tensor stream =
        InBlocks(*group, inputs, *state, [&] { return std::uniform_int_distribution<int64_t>(1, largest)(random); });
    ASSERT_EQ(stream.sizes(), whole.sizes());
    EXPECT_LE((stream - whole).abs().max().item<double>(), 1e-5 * whole.abs().max().item<double>()) << largest;
  }
}

// The longest path: one hop for the harmonics, half the filter, and what is held back for the crop.
TEST(StreamingGroup, AddsLatenciesAlongTheLongestPath) {
  const auto group = StreamingGroup::Create(Voice(), VoiceLayout());
  ASSERT_TRUE(group.ok());
  const int64_t filter = (2 * 16 - 1) / 2 - 1;
  EXPECT_EQ(group->latency_samples(), kHop + filter + kHop);
}

// Dry signal beside an all-pass filter: the click of the dry branch waits for the filter and comes when it is due; the
// filter's own is two samples late, as in the whole call (FrequencyFilter).
TEST(StreamingGroup, AClickArrivesAtTheDeclaredSample) {
  GraphSpec spec;
  spec.inputs = {"audio", "tone", "ir"};
  spec.nodes = {{"filter", "effects.FIRFilter", {{"scale_fn", std::monostate()}}, {"audio", "tone"}},
                {"reverb", "effects.Reverb", {}, {"filter/signal", "ir"}},
                {"add", "processors.Add", {}, {"audio", "reverb/signal"}}};
  const auto group = StreamingGroup::Create(spec, {1, kHop, {{"tone", 65}}});
  ASSERT_TRUE(group.ok()) << group.status();
  const auto state = *group->MakeState({{"ir", at::zeros({1, 300})}}, {});
  const int64_t latency = group->latency_samples(), click = 100;
  EXPECT_EQ(latency, 62);
  for (int64_t n = 0; n < 300; ++n) {
    StreamBlock block;
    block.samples = 1;
    block.inputs["audio"] = at::full({1, 1}, n == click ? 1.0f : 0.0f);
    if (n % kHop == 0) block.inputs["tone"] = at::ones({1, 1, 65});
    const Tensor out = *group->Process(block, *state);
    ASSERT_EQ(out.size(1), n < latency ? 0 : 1);
    const bool heard = n - latency == click || n - latency == click + 2;
    EXPECT_NEAR(n < latency ? 0 : out.item<float>(), heard ? 1 : 0, 1e-5) << n;
  }
}

TEST(StreamingGroup, NamesEveryNodeThatCannotStream) {
  GraphSpec spec = Voice();
  spec.nodes[0].args["phase"] = "cumsum";
  spec.nodes[1].args["scale_fn"] = "core.sigmund";
  const std::string invalid(StreamingGroup::Create(spec, VoiceLayout()).status().message());
  EXPECT_THAT(invalid, HasSubstr("core.sigmund"));
  spec.nodes[1].args.erase("scale_fn");
  const std::string message(StreamingGroup::Create(spec, {kBatch, kHop, {{"tone", 17}}}).status().message());
  EXPECT_THAT(message, AllOf(HasSubstr("node harmonic: a synths.Harmonic with these arguments cannot stream"),
                             HasSubstr("node noise_synth:"), HasSubstr("channels of magnitudes are not given")));
}

TEST(StreamingGroup, RefusesAnImpulseResponseThatIsStillBeingMade) {
  GraphSpec spec;
  spec.inputs = {"audio", "samples"};
  spec.nodes = {{"ir", "synths.TensorToAudio", {}, {"samples"}},
                {"reverb", "effects.Reverb", {}, {"audio", "ir/signal"}}};
  const auto status = StreamingGroup::Create(spec, {1, kHop}).status();
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("node reverb"), HasSubstr("ir/signal")));
}

TEST(StreamingGroup, RefusesABlockOfAnotherLengthBeforeTakingIt) {
  GraphSpec spec;
  spec.inputs = {"one", "two"};
  spec.nodes = {{"add", "processors.Add", {}, {"one", "two"}}};
  const auto group = *StreamingGroup::Create(spec, {1, kHop});
  const auto state = *group.MakeState({}, {});
  const Tensor five = at::ones({1, 5});
  const auto status = group.Process({5, {{"one", five}, {"two", at::ones({1, 4})}}}, *state).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("graph input 'two' has shape [1, 4], expected [1, 5, ...]"));
  EXPECT_EQ(group.Process({5, {{"one", five}}}, *state).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(at::equal(*group.Process({5, {{"one", five}, {"two", five}}}, *state), 2 * five));
}

}  // namespace
}  // namespace ddsp
