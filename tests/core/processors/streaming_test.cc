// Every registered processor: the blocks of a stream, however cut, are the whole call.
#include <random>

#include "core/processors/noise_source.h"
#include "core/processors/processor_factory.h"
#include "core/processors/streaming_processor.h"
#include "core/processors/synths.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;
using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kBatch = 2, kChannels = 33;
constexpr uint64_t kSeed = 17;

struct Case {
  std::string class_name;
  ConstructorArgs args = {};
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.class_name;
  for (const auto& [name, value] : c.args) *out << " " << name;
}

// Every class as it is, and configurations that stream differently.
std::vector<Case> Cases() {
  const ConstructorArgs trained = {{"trainable", true}, {"reverb_length", int64_t{700}}};
  std::vector<Case> cases = {
      {"synths.Harmonic", {{"amp_resample_method", "linear"}}},
      {"synths.Harmonic", {{"amp_resample_method", "cubic"}}},
      {"synths.Harmonic", {{"amp_resample_method", "nearest"}}},
      {"synths.FilteredNoise", {{"window_size", int64_t{0}}}},
      {"synths.FilteredNoise", {{"window_size", int64_t{21}}}},
      {"synths.FilteredNoise", {{"window_size", int64_t{2}}}},
      {"synths.Sinusoidal", {{"amp_resample_method", "cubic"}, {"freq_scale_fn", "core.frequencies_softmax"}}},
      {"effects.Reverb", {{"trainable", true}, {"reverb_length", int64_t{100}}}},
      {"effects.Reverb", {{"add_dry", false}}},
      {"effects.ExpDecayReverb", trained},
      {"effects.FilteredNoiseReverb", {{"trainable", true}, {"reverb_length", int64_t{5000}}}},
      {"effects.FIRFilter", {{"window_size", int64_t{15}}}},
      {"effects.ModDelay", {{"delay_end", "wrap"}, {"center_ms", 0.5}, {"depth_ms", 0.5}}},
      {"processors.Mix", {{"gains", "upstream"}}},
      {"processors.Crop", {{"frame_size", int64_t{41}}, {"crop_location", "front"}}},
      {"processors.Crop", {{"frame_size", int64_t{40}}, {"crop_location", "center"}}},
  };
  for (const std::string& name : ProcessorClasses()) {
    const bool crop = name == "processors.Crop";
    cases.push_back({name, crop ? ConstructorArgs{{"frame_size", int64_t{64}}} : ConstructorArgs{}});
  }
  return cases;
}

// `n_samples` is added to the arguments of a processor that takes it.
std::unique_ptr<Processor> Make(const Case& c, int64_t n_samples) {
  ConstructorArgs args = c.args;
  args["n_samples"] = n_samples;
  auto with = MakeProcessor(c.class_name, "p", args);
  if (with.ok()) return *std::move(with);
  return *MakeProcessor(c.class_name, "p", c.args);
}

Tensor RandomInput(const Port& port, int64_t frames, int64_t samples) {
  std::vector<int64_t> shape = {kBatch};
  if (port.rate != PortRate::kFixed) shape.push_back(port.rate == PortRate::kFrames ? frames : samples);
  if (port.channels != kNoChannelAxis) shape.push_back(port.channels == kAnyChannels ? kChannels : port.channels);
  const bool pitch = port.name.ends_with("_hz");
  return pitch ? 100 + 900 * at::rand(shape) : at::randn(shape);
}

// A processor, its whole input, and how to cut it.
class Stream {
 public:
  Stream(const Case& c, int64_t frames, int64_t hop) : processor_(Make(c, frames * hop)), samples_(frames * hop) {
    layout_ = {kBatch, hop};
    for (const Port& port : processor_->inputs()) {
      if (!port.required) continue;
      inputs_[port.name] = RandomInput(port, frames, samples_);
      if (port.rate == PortRate::kFixed) fixed_[port.name] = inputs_[port.name];
      layout_.channels[port.name] = inputs_[port.name].size(-1);
    }
    context_.seed = kSeed;
    for (const ParameterSpec& spec : processor_->parameters()) {
      context_.parameters[spec.name] = at::randn(spec.shape) * 0.1 + spec.initial_mean;
    }
  }

  const StreamingProcessor* streaming() const { return dynamic_cast<const StreamingProcessor*>(processor_.get()); }
  int64_t samples() const { return samples_; }
  int64_t latency() const { return *streaming()->LatencySamples(layout_); }
  Tensor Whole() const { return processor_->Run(inputs_, context_)->signal; }
  std::unique_ptr<ProcessorState> Begin() const { return *streaming()->MakeState(layout_, fixed_, context_); }

  StreamBlock Block(int64_t begin, int64_t samples) const {
    StreamBlock block;
    block.samples = samples;
    for (const Port& port : processor_->inputs()) {
      const bool frames = port.rate == PortRate::kFrames;
      const int64_t first = frames ? FramesIn(0, begin, layout_.hop) : begin;
      const int64_t count = frames ? FramesIn(begin, samples, layout_.hop) : samples;
      if (port.rate == PortRate::kFixed || (frames && count == 0)) continue;
      block.inputs[port.name] = inputs_.at(port.name).narrow(1, first, count);
    }
    return block;
  }

  // The signal in blocks of next() samples; every sample is checked to come when it is due.
  template <typename Next>
  Tensor InBlocks(Next next) const {
    const auto state = Begin();
    std::vector<Tensor> signal;
    int64_t released = 0;
    for (int64_t begin = 0; begin < samples_;) {
      const int64_t samples = std::min<int64_t>(next(), samples_ - begin);
      signal.push_back(*streaming()->Process(Block(begin, samples), *state));
      begin += samples;
      released += signal.back().size(1);
      EXPECT_EQ(released, std::max<int64_t>(0, begin - latency()));
    }
    signal.push_back(*streaming()->Finish(*state));
    return at::cat(signal, 1);
  }

 private:
  const std::unique_ptr<Processor> processor_;
  const int64_t samples_;
  StreamLayout layout_;
  NamedTensors inputs_, fixed_;
  ProcessorContext context_;
};

void ExpectSame(const Tensor& whole, const Tensor& stream) {
  ASSERT_EQ(whole.sizes(), stream.sizes());
  EXPECT_LE((whole - stream).abs().max().item<double>(), 1e-5 * std::max(1.0, whole.abs().max().item<double>()));
}

class EveryProcessor : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override { at::manual_seed(3); }
};

TEST_P(EveryProcessor, StreamsTheWholeCallForAnyChunking) {
  for (const int64_t hop : {64, 49}) {
    const Stream stream(GetParam(), 9, hop);
    ASSERT_NE(stream.streaming(), nullptr);
    const Tensor whole = stream.Whole();
    for (const int64_t chunk : {int64_t{1}, int64_t{7}, hop - 1, hop, hop + 1, int64_t{131}, stream.samples()}) {
      SCOPED_TRACE(testing::Message() << "hop " << hop << " chunk " << chunk);
      ExpectSame(whole, stream.InBlocks([&] { return chunk; }));
    }
  }
}

TEST_P(EveryProcessor, StreamsTheWholeCallForRandomChunkings) {
  std::mt19937 random(7);
  const Stream stream(GetParam(), 12, 80);
  const Tensor whole = stream.Whole();
  for (int trial = 0; trial < 8; ++trial) {
    // Empty blocks too.
    ExpectSame(whole, stream.InBlocks([&] { return std::uniform_int_distribution(0, 20 << trial)(random); }));
  }
}

TEST_P(EveryProcessor, RefusesAWrongNumberOfSamplesAndGoesOn) {
  const Stream stream(GetParam(), 2, 64);
  const auto state = stream.Begin();
  StreamBlock block = stream.Block(0, 64);
  block.samples = 65;
  const auto refused = stream.streaming()->Process(block, *state);
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("p: "));
  EXPECT_TRUE(stream.streaming()->Process(stream.Block(0, 64), *state).ok());
}

TEST_P(EveryProcessor, FinishesOnce) {
  const Stream stream(GetParam(), 2, 64);
  const auto state = stream.Begin();
  EXPECT_TRUE(stream.streaming()->Finish(*state).ok());
  EXPECT_EQ(stream.streaming()->Finish(*state).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(stream.streaming()->Process(stream.Block(0, 1), *state).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryProcessor, testing::ValuesIn(Cases()));

TEST(FloatPhase, IsOfATypeThatCannotStream) {
  for (const char* name : {"synths.Harmonic", "synths.Sinusoidal"}) {
    const auto drifting = *MakeProcessor(name, "p", {{"use_angular_cumsum", true}});
    EXPECT_EQ(dynamic_cast<const StreamingProcessor*>(drifting.get()), nullptr);
  }
}

TEST(StreamingProcessor, RefusesTheStateOfAnother) {
  const auto one = *MakeProcessor("Add", "one", {}), two = *MakeProcessor("Add", "two", {});
  const auto state = *dynamic_cast<const StreamingProcessor&>(*one).MakeState({});
  EXPECT_EQ(dynamic_cast<const StreamingProcessor&>(*two).Finish(*state).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(StreamingProcessor, NamesAnInputOfTheWrongShape) {
  const TensorToAudio passage("in");
  const auto state = *passage.MakeState({1, 64});
  const auto status = passage.Process({3, {{"samples", at::zeros({1, 4, 1})}}}, *state).status();
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("in: samples"), HasSubstr("[1, 4, 1]"), HasSubstr("[1, 3, 1]")));
}

TEST(FilteredNoise, SaysWhenTheLayoutLacksItsBands) {
  const auto status = FilteredNoise({}).LatencySamples({1, 64}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("magnitudes"));
}

// Half of a filter of 128 taps, less what upstream's compensation leaves.
TEST(FilteredNoise, DeclaresTheCompensatedDelay) {
  EXPECT_EQ(*FilteredNoise({}).LatencySamples({1, 64, {{"magnitudes", 65}}}), 62);
}

TEST(CounterNoise, DoesNotDependOnHowItIsCutAndDiffersBetweenRows) {
  const Tensor whole = CounterNoise(5, 2, 0, 100);
  EXPECT_TRUE(at::equal(whole.narrow(1, 33, 40), CounterNoise(5, 2, 33, 40)));
  EXPECT_FALSE(at::equal(whole[0], whole[1]));
}

}  // namespace
}  // namespace ddsp
