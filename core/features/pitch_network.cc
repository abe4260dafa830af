#include "core/features/pitch_network.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ddsp {
namespace {

#include "core/features/pitch_weights.inc"

constexpr int kBins = PitchGrid::kBins;
constexpr int kInputs = PitchNetwork::kInputs;
// Both layers see two candidates to either side.
constexpr int kReach = 2;
constexpr int kNear[] = {-2, -1, 0, 1, 2};
constexpr int kFirstTaps[] = {
    -2, -1, 0, 1, 2, PitchGrid::kOctave, -PitchGrid::kOctave, PitchGrid::kTwelfth, -PitchGrid::kTwelfth};
constexpr float kLargestLevel = 30.0f;
constexpr float kLevelScale = 0.1f;

// The grid, in whole steps of a layer, and the room about it that a layer looks into.
constexpr int kColumns =
    (kBins + kernels::GridLayer::kColumns - 1) / kernels::GridLayer::kColumns * kernels::GridLayer::kColumns;
constexpr int kFarRoom = 48, kNearRoom = 16;
static_assert(kFarRoom >= PitchGrid::kTwelfth && kNearRoom >= kReach);
// Added to columns beyond the grid, which are then silent.
constexpr float kBeyond = -1e30f;

// Channels along the grid, with room on both sides.
template <int kChannels, int kRoom>
struct GridPlanes {
  static constexpr int kStride = kColumns + 2 * kRoom;
  alignas(64) float data[kChannels * kStride];

  float* channel(int c) { return data + c * kStride + kRoom; }
  kernels::Planes planes() { return {channel(0), kStride}; }
};

// [hidden][column] what the first layer adds for the place on the grid.
std::vector<float> FirstBias() {
  std::vector<float> bias(static_cast<size_t>(kHidden) * kColumns, kBeyond);
  for (int bin = 0; bin < kBins; ++bin) {
    const double at = static_cast<double>(bin) / kBins;
    const double trend[] = {at, at * at, std::exp(-6.0 * at)};
    for (int h = 0; h < kHidden; ++h) {
      double sum = kFirstBias[h];
      for (int i = 0; i < 3; ++i) sum += trend[i] * kPlaceKernel[i * kHidden + h];
      bias[h * kColumns + bin] = static_cast<float>(sum);
    }
  }
  return bias;
}

}  // namespace

PitchNetwork::PitchNetwork()
    : first_(kFirstTaps, kFirstKernel, FirstBias(), kInputs, kHidden),
      second_(kNear, kSecondKernel, std::vector<float>(static_cast<size_t>(kHidden) * kColumns), kHidden, kHidden) {}

void PitchNetwork::Weigh(const std::array<const float*, kInputs>& views, std::span<const float> levels,
                         std::span<float> evidence) const {
  GridPlanes<kInputs, kFarRoom> inputs = {};
  for (int i = 0; i < kInputs; ++i) {
    std::transform(views[i], views[i] + kBins, inputs.channel(i), [](float x) { return std::clamp(x, -1.0f, 1.0f); });
  }
  std::array<float, kHidden> common = {};
  for (int i = 0; i + 1 < kViews; ++i) {
    const float level = kLevelScale * std::clamp(levels[i], -kLargestLevel, kLargestLevel);
    for (int h = 0; h < kHidden; ++h) common[h] += level * kLevelKernel[i * kHidden + h];
  }
  GridPlanes<kHidden, kNearRoom> hidden;
  for (int h = 0; h < kHidden; ++h) {
    std::fill_n(hidden.channel(h) - kReach, kReach, 0.0f);
    std::fill_n(hidden.channel(h) + kColumns, kReach, 0.0f);
  }
  GridPlanes<kHidden, 0> last;
  first_.Apply(inputs.planes(), common, hidden.planes());
  second_.Apply(hidden.planes(), kSecondBias, last.planes());
  std::array<float, kColumns> mixed;
  kernels::MixPlanes(last.planes(), kLastKernel, kColumns, mixed.data());
  std::copy_n(mixed.begin(), kBins, evidence.begin());
}

}  // namespace ddsp
