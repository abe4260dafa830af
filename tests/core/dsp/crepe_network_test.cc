#include "core/dsp/crepe_network.h"

#include <cmath>
#include <numbers>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_crepe.h"

namespace ddsp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

NamedTensors RandomWeights(int64_t multiplier, uint32_t seed = 1) {
  return ToTensors(*Safetensors::Parse(testing::RandomCrepe(multiplier, seed).Format()));
}

std::shared_ptr<const CrepeNetwork> RandomNetwork(int64_t multiplier = 1) {
  return *CrepeNetwork::Create(RandomWeights(multiplier));
}

at::Tensor Sound(int64_t batch, int64_t samples) {
  const at::Tensor time = at::arange(samples, at::kFloat) / 16000;
  std::vector<at::Tensor> tones;
  for (int64_t b = 0; b < batch; ++b) {
    const double hz = 200 + 150 * static_cast<double>(b);
    tones.push_back(at::sin(2 * std::numbers::pi * hz * time) * (0.2 + time));
  }
  return at::stack(tones);
}

// One layer, number by number, as Keras defines it: [time, channels].
struct Grid {
  int64_t time, channels;
  std::vector<double> values;
  double At(int64_t t, int64_t c) const { return t < 0 || t >= time ? 0 : values[t * channels + c]; }
};

Grid Convolved(const Grid& x, const at::Tensor& kernel, const at::Tensor& bias, int64_t stride) {
  const int64_t taps = kernel.size(0), out = kernel.size(3), time = (x.time + stride - 1) / stride;
  const int64_t before = ((time - 1) * stride + taps - x.time) / 2;
  const auto k = kernel.accessor<float, 4>();
  Grid y{time, out, {}};
  for (int64_t t = 0; t < time; ++t) {
    for (int64_t c = 0; c < out; ++c) {
      double sum = bias[c].item<double>();
      for (int64_t tap = 0; tap < taps; ++tap) {
        for (int64_t i = 0; i < x.channels; ++i) sum += k[tap][0][i][c] * x.At(t * stride + tap - before, i);
      }
      y.values.push_back(std::max(sum, 0.0));
    }
  }
  return y;
}

Grid NormalizedAndPooled(const Grid& x, const NamedTensors& w, const std::string& norm) {
  Grid y{x.time / 2, x.channels, {}};
  for (int64_t t = 0; t < y.time; ++t) {
    for (int64_t c = 0; c < x.channels; ++c) {
      const auto value = [&](const char* name) { return w.at(norm + name)[c].item<double>(); };
      const auto normalized = [&](double v) {
        return value("gamma") * (v - value("moving_mean")) / std::sqrt(value("moving_variance") + 1e-3) + value("beta");
      };
      y.values.push_back(std::max(normalized(x.At(2 * t, c)), normalized(x.At(2 * t + 1, c))));
    }
  }
  return y;
}

TEST(CrepeNetwork, IsWhatKerasComputes) {
  const NamedTensors w = RandomWeights(1);
  const at::Tensor frame = CrepeNormalize(Sound(1, 1024));
  Grid x{1024, 1, {}};
  for (int64_t t = 0; t < 1024; ++t) x.values.push_back(frame[0][t].item<double>());
  const auto network = RandomNetwork();
  for (int i = 1; i <= 6; ++i) {
    const std::string conv = "conv" + std::to_string(i);
    x = NormalizedAndPooled(Convolved(x, w.at(conv + "/kernel"), w.at(conv + "/bias"), i == 1 ? 4 : 1), w,
                            conv + "-BN/");
    const at::Tensor expected = at::tensor(x.values).view({1, x.time, x.channels}).to(at::kFloat);
    EXPECT_TRUE(at::allclose(network->Activations(frame, conv + "-maxpool"), expected, 1e-3, 1e-3)) << conv;
  }
  const at::Tensor flat = at::tensor(x.values).to(at::kFloat);
  const at::Tensor expected =
      at::sigmoid(at::matmul(flat, w.at("classifier/kernel")) + w.at("classifier/bias")).unsqueeze(0);
  EXPECT_TRUE(at::allclose(network->Activations(frame), expected, 1e-3, 1e-4));
}

TEST(CrepeNetwork, KnowsItsSizes) {
  EXPECT_EQ(RandomNetwork(4)->Capacity(), "tiny");
  EXPECT_EQ(RandomNetwork(1)->Capacity(), "1 times 32 filters");
  EXPECT_EQ(RandomNetwork(1)->Activations(at::zeros({3, 1024}), "conv3-BN").sizes(), at::IntArrayRef({3, 64, 4}));
}

TEST(CrepeNetwork, NamesEveryWeightThatDoesNotFit) {
  NamedTensors weights = RandomWeights(1);
  weights.erase("conv2/bias");
  weights["conv3-BN/gamma"] = at::ones({5});
  weights["conv4/bias"] = at::full({4}, NAN);
  weights["conv7/bias"] = at::ones({5});
  const absl::Status status = CrepeNetwork::Create(weights).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("conv2/bias is missing"), HasSubstr("conv3-BN/gamma has shape [5], expected [4]"),
                    HasSubstr("conv4/bias has values that are no finite numbers"),
                    HasSubstr("conv7/bias is no weight of CREPE")));
  weights["conv1/kernel"] = at::zeros({512, 1, 1, 33});
  EXPECT_THAT(std::string(CrepeNetwork::Create(weights).status().message()), HasSubstr("a multiple of 32"));
  EXPECT_THAT(std::string(CrepeNetwork::Read("no_such.safetensors").status().message()), HasSubstr("no_such"));
}

TEST(CrepeNetwork, RejectsOtherFramesAndLayers) {
  EXPECT_THROW(RandomNetwork()->Activations(at::zeros({1, 1000})), c10::ValueError);
  EXPECT_THROW(RandomNetwork()->Activations(at::zeros({1, 1024}), "conv7"), c10::ValueError);
}

// However many frames are computed at once, each has its own pitch.
TEST(TrackPitch, IsThatOfEachFrame) {
  const auto network = RandomNetwork();
  const at::Tensor audio = Sound(2, 16000);
  CrepeTrackOptions options;
  options.hop_size = 100;
  const CrepePitch pitch = TrackPitch(*network, audio, options);
  ASSERT_EQ(pitch.f0_hz.sizes(), at::IntArrayRef({2, 161}));
  ASSERT_EQ(pitch.confidence.sizes(), at::IntArrayRef({2, 161}));
  const at::Tensor frame = audio[1].slice(0, 100 * 100 - 512, 100 * 100 + 512).unsqueeze(0);
  const CrepePitch alone = CrepeDecode(network->Activations(CrepeNormalize(frame)));
  EXPECT_NEAR(pitch.f0_hz[1][100].item<double>() / alone.f0_hz.item<double>(), 1, 1e-3);
  EXPECT_NEAR(pitch.confidence[1][100].item<double>(), alone.confidence.item<double>(), 1e-4);
  options.padding = FramePadding::kValid;
  EXPECT_EQ(TrackPitch(*network, audio, options).f0_hz.size(1), (16000 - 1024) / 100 + 1);
}

TEST(TrackPitch, FollowsThePathOfViterbi) {
  const auto network = RandomNetwork();
  const at::Tensor audio = Sound(1, 4096);
  CrepeTrackOptions options;
  options.padding = FramePadding::kValid;
  options.decoding = CrepeDecoding::kViterbi;
  const at::Tensor acts = network->Activations(CrepeNormalize(CrepeFrames(audio, 160)));
  const CrepePitch expected = CrepeDecode(acts, CrepeViterbi(acts.unsqueeze(0)).flatten());
  EXPECT_TRUE(at::allclose(TrackPitch(*network, audio, options).f0_hz[0], expected.f0_hz, 1e-4));
}

}  // namespace
}  // namespace ddsp
