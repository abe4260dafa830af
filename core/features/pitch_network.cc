#include "core/features/pitch_network.h"

#include <algorithm>
#include <cmath>

namespace ddsp {
namespace {

#include "core/features/pitch_weights.inc"

constexpr int kBins = PitchGrid::kBins;
constexpr int kInputs = PitchNetwork::kInputs;
// Both layers see two candidates to either side.
constexpr int kReach = 2;
constexpr int kNear = (2 * kReach + 1) * kInputs;
constexpr int kFar[] = {PitchGrid::kOctave, -PitchGrid::kOctave, PitchGrid::kTwelfth, -PitchGrid::kTwelfth};
constexpr int kRow = kNear + static_cast<int>(std::size(kFar)) * kInputs;
constexpr int kPad = PitchGrid::kTwelfth;
constexpr float kLargestLevel = 30.0f;
constexpr float kLevelScale = 0.1f;

}  // namespace

PitchNetwork::PitchNetwork()
    : first_(kFirstKernel, {}, kRow, kHidden),
      second_(kSecondKernel, kSecondBias, (2 * kReach + 1) * kHidden, kHidden),
      place_(static_cast<size_t>(kBins) * kHidden) {
  for (int bin = 0; bin < kBins; ++bin) {
    const double at = static_cast<double>(bin) / kBins;
    const double trend[] = {at, at * at, std::exp(-6.0 * at)};
    for (int h = 0; h < kHidden; ++h) {
      double sum = kFirstBias[h];
      for (int i = 0; i < 3; ++i) sum += trend[i] * kPlaceKernel[i * kHidden + h];
      place_[bin * kHidden + h] = static_cast<float>(sum);
    }
  }
}

void PitchNetwork::Weigh(std::span<const float> views, std::span<const float> levels, std::span<float> evidence) const {
  std::array<float, (kBins + 2 * kPad)* kInputs> padded = {};
  std::copy_n(views.begin(), kBins * kInputs, padded.begin() + kPad * kInputs);
  std::array<float, kBins * kRow> rows;
  for (int bin = 0; bin < kBins; ++bin) {
    auto from = [&](int offset) { return padded.begin() + (kPad + bin + offset) * kInputs; };
    auto row = std::copy_n(from(-kReach), kNear, rows.begin() + bin * kRow);
    for (int offset : kFar) row = std::copy_n(from(offset), kInputs, row);
  }

  std::array<float, kHidden> common = {};
  for (int i = 0; i + 1 < kViews; ++i) {
    const float level = kLevelScale * std::clamp(levels[i], -kLargestLevel, kLargestLevel);
    for (int h = 0; h < kHidden; ++h) common[h] += level * kLevelKernel[i * kHidden + h];
  }
  std::array<float, (kBins + 2 * kReach)* kHidden> hidden = {};
  float* const inner = hidden.data() + kReach * kHidden;
  first_.Apply(rows.data(), kRow, kBins, inner, kHidden);
  for (int bin = 0; bin < kBins; ++bin) {
    for (int h = 0; h < kHidden; ++h) {
      float& x = inner[bin * kHidden + h];
      x = std::max(0.0f, x + place_[bin * kHidden + h] + common[h]);
    }
  }
  std::array<float, kBins * kHidden> last;
  second_.Apply(hidden.data(), kHidden, kBins, last.data(), kHidden);
  for (int bin = 0; bin < kBins; ++bin) {
    float sum = 0.0f;
    for (int h = 0; h < kHidden; ++h) sum += std::max(0.0f, last[bin * kHidden + h]) * kLastKernel[h];
    evidence[bin] = sum;
  }
}

}  // namespace ddsp
