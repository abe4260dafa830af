#include "core/features/pitch_network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "gtest/gtest.h"

namespace ddsp {
namespace {

#include "core/features/pitch_weights.inc"

constexpr int kBins = PitchGrid::kBins;
constexpr int kInputs = PitchNetwork::kInputs;
using Views = std::array<float, kBins * kInputs>;  // [grid bin][input]
using Levels = std::array<float, PitchNetwork::kViews - 1>;
using Evidence = std::array<float, kBins>;

Evidence Weigh(const PitchNetwork& network, const Views& views, const Levels& levels) {
  std::array<std::array<float, kBins>, kInputs> planes;
  std::array<const float*, kInputs> inputs;
  for (int i = 0; i < kInputs; ++i) {
    for (int bin = 0; bin < kBins; ++bin) planes[i][bin] = views[bin * kInputs + i];
    inputs[i] = planes[i].data();
  }
  Evidence evidence;
  network.Weigh(inputs, levels, evidence);
  return evidence;
}

Views DrawViews(int seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  Views views;
  for (float& x : views) x = uniform(random);
  return views;
}

// The definition, in double, one product at a time.
class SlowNetwork {
 public:
  SlowNetwork(const Views& views, const Levels& levels) : views_(views), levels_(levels) {
    for (int bin = 0; bin < kBins; ++bin) {
      for (int h = 0; h < kHidden; ++h) first_[bin][h] = First(bin, h);
    }
  }

  double Evidence(int bin) const {
    double evidence = 0.0;
    for (int h = 0; h < kHidden; ++h) evidence += kLastKernel[h] * std::max(0.0, Second(bin, h));
    return evidence;
  }

 private:
  double Input(int bin, int i) const { return bin >= 0 && bin < kBins ? views_[bin * kInputs + i] : 0.0; }

  double First(int bin, int h) const {
    const int offsets[] = {-2, -1, 0, 1, 2, 24, -24, 38, -38};
    double sum = kFirstBias[h];
    for (int o = 0; o < 9; ++o) {
      for (int i = 0; i < kInputs; ++i)
        sum += Input(bin + offsets[o], i) * kFirstKernel[(o * kInputs + i) * kHidden + h];
    }
    for (int v = 0; v < 3; ++v) sum += std::clamp(levels_[v] / 10.0, -3.0, 3.0) * kLevelKernel[v * kHidden + h];
    const double at = bin / 131.0;
    sum += at * kPlaceKernel[h] + at * at * kPlaceKernel[kHidden + h] +
           std::exp(-6.0 * at) * kPlaceKernel[2 * kHidden + h];
    return std::max(0.0, sum);
  }

  double Second(int bin, int h) const {
    double sum = kSecondBias[h];
    for (int tap = 0; tap < 5; ++tap) {
      if (bin + tap - 2 < 0 || bin + tap - 2 >= kBins) continue;
      for (int i = 0; i < kHidden; ++i)
        sum += first_[bin + tap - 2][i] * kSecondKernel[(tap * kHidden + i) * kHidden + h];
    }
    return sum;
  }

  const Views& views_;
  const Levels& levels_;
  std::array<std::array<double, kHidden>, kBins> first_;
};

TEST(PitchNetwork, EqualsTheDefinition) {
  const PitchNetwork network;
  for (const Levels& levels : {Levels{0.0f, 0.0f, 0.0f}, Levels{-3.0f, 7.5f, 12.0f}, Levels{-70.0f, 29.0f, 45.0f}}) {
    for (int seed : {1, 2}) {
      const Views views = DrawViews(seed);
      const Evidence evidence = Weigh(network, views, levels);
      const SlowNetwork slow(views, levels);
      for (int bin = 0; bin < kBins; ++bin) {
        // Sums of some hundred products of magnitude one, in floats.
        EXPECT_NEAR(evidence[bin], slow.Evidence(bin), 2e-4) << "bin " << bin;
      }
    }
  }
}

TEST(PitchNetwork, LevelsCountUpToThirtyDecibels) {
  const PitchNetwork network;
  const Views views = DrawViews(3);
  EXPECT_EQ(Weigh(network, views, {-30.0f, 30.0f, 30.0f}), Weigh(network, views, {-80.0f, 31.0f, 90.0f}));
  EXPECT_NE(Weigh(network, views, {-30.0f, 30.0f, 30.0f}), Weigh(network, views, {-29.0f, 30.0f, 30.0f}));
}

TEST(PitchNetwork, ReachesAsFarAsATwelfth) {
  const PitchNetwork network;
  const Views views = DrawViews(4);
  const Evidence before = Weigh(network, views, {});
  constexpr int kChanged = 65;
  Views changed = views;
  for (int i = 0; i < kInputs; ++i) changed[kChanged * kInputs + i] += 0.5f;
  const Evidence after = Weigh(network, changed, {});
  int different = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    const int distance = std::abs(bin - kChanged);
    const bool in_reach =
        distance <= 4 || std::abs(distance - PitchGrid::kOctave) <= 2 || std::abs(distance - PitchGrid::kTwelfth) <= 2;
    const bool same = after[bin] == before[bin];
    EXPECT_TRUE(same || in_reach) << bin;
    different += !same;
  }
  EXPECT_GE(different, 25);
}

// What harmonic sound of one pitch looks like: all views find it, and the correlation an octave and a twelfth below,
// too.
Views SoundOf(int pitch) {
  Views views = {};
  const auto add = [&](int bin, float correlation, float match) {
    for (int d = -2; d <= 2; ++d) {
      if (bin + d < 0 || bin + d >= kBins) continue;
      const float share = 1.0f - 0.3f * std::abs(d);
      for (int v = 0; v < PitchNetwork::kViews; ++v) {
        views[(bin + d) * kInputs + 2 * v] += share * correlation;
        views[(bin + d) * kInputs + 2 * v + 1] += share * match;
      }
    }
  };
  add(pitch, 0.95f, 0.4f);
  add(pitch - PitchGrid::kOctave, 0.95f, 0.1f);
  add(pitch - PitchGrid::kTwelfth, 0.95f, 0.0f);
  return views;
}

TEST(PitchNetwork, MovesAlongTheGridWithTheSound) {
  const PitchNetwork network;
  for (int pitch = 40; pitch < 120; ++pitch) {
    const Evidence evidence = Weigh(network, SoundOf(pitch), {});
    EXPECT_EQ(std::max_element(evidence.begin(), evidence.end()) - evidence.begin(), pitch);
  }
}

TEST(PitchNetwork, AlwaysSaysTheSame) {
  const Views views = DrawViews(5);
  const PitchNetwork network, another;
  const Evidence evidence = Weigh(network, views, {1.0f, -2.0f, 3.0f});
  EXPECT_EQ(Weigh(network, views, {1.0f, -2.0f, 3.0f}), evidence);
  EXPECT_EQ(Weigh(another, views, {1.0f, -2.0f, 3.0f}), evidence);
}

}  // namespace
}  // namespace ddsp
