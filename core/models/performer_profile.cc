#include "core/models/performer_profile.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/base/pitch.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

// Value at `position` (0..size-1) of evenly spaced points, linear between them.
float Interpolate(const std::vector<float>& points, double position) {
  const size_t low = std::min(static_cast<size_t>(position), points.size() - 2);
  const double weight = position - low;
  return static_cast<float>(points[low] * (1 - weight) + points[low + 1] * weight);
}

// To the nearest octave. Upstream's notebook rounds down beyond 1.5 octaves and up below, so that it moves a performer
// who is a tone off by a whole octave.
double OctaveShift(double difference_semitones) { return 12 * std::round(difference_semitones / 12); }

absl::Status ParseLine(absl::string_view key, absl::string_view value, PerformerProfile* profile) {
  if (key == "name") {
    profile->name = std::string(value);
  } else if (key == "mean_pitch_midi") {
    if (!absl::SimpleAtof(value, &profile->mean_pitch_midi))
      return absl::InvalidArgumentError("mean_pitch_midi is no number");
  } else if (key == "power_quantiles_db") {
    for (const auto number : absl::StrSplit(value, ' ', absl::SkipEmpty())) {
      profile->power_quantiles_db.emplace_back();
      if (!absl::SimpleAtof(number, &profile->power_quantiles_db.back())) {
        return absl::InvalidArgumentError(absl::StrCat("power_quantiles_db holds '", number, "'"));
      }
    }
  } else {
    return absl::InvalidArgumentError(absl::StrCat("unknown line '", key, "'"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateProfile(const PerformerProfile& profile) {
  const std::vector<float>& q = profile.power_quantiles_db;
  if (q.size() < 2 || q.size() > kProfileQuantiles) {
    return absl::InvalidArgumentError(
        absl::StrCat("profile has ", q.size(), " power quantiles, not 2..", kProfileQuantiles));
  }
  for (size_t i = 0; i < q.size(); ++i) {
    if (!std::isfinite(q[i])) return absl::InvalidArgumentError(absl::StrCat("power quantile ", i, " is not finite"));
    if (i > 0 && q[i] < q[i - 1])
      return absl::InvalidArgumentError(absl::StrCat("power quantile ", i, " falls: ", q[i]));
  }
  if (!(profile.mean_pitch_midi >= 0 && profile.mean_pitch_midi <= 127)) {
    return absl::InvalidArgumentError(absl::StrCat("mean pitch ", profile.mean_pitch_midi, " is outside MIDI 0..127"));
  }
  return absl::OkStatus();
}

absl::StatusOr<PerformerProfile> MeasureProfile(std::string name, absl::Span<const FeatureFrame> frames,
                                                int frame_rate) {
  std::vector<float> power;
  double midi = 0;
  for (const FeatureFrame& frame : frames) {
    if (!frame.voiced) continue;
    power.push_back(frame.power_db);
    midi += HzToMidi(frame.f0_hz);
  }
  if (power.size() < static_cast<size_t>(frame_rate)) {
    return absl::FailedPreconditionError(
        absl::StrCat("a profile needs a second of voiced sound; found ", power.size() * 1000 / frame_rate, " ms"));
  }
  std::sort(power.begin(), power.end());
  PerformerProfile profile{std::move(name), {}, static_cast<float>(midi / power.size())};
  for (int i = 0; i < kProfileQuantiles; ++i) {
    profile.power_quantiles_db.push_back(Interpolate(power, (power.size() - 1.0) * i / (kProfileQuantiles - 1)));
  }
  return profile;
}

std::string FormatProfile(const PerformerProfile& profile) {
  return absl::StrCat("name ", profile.name, "\nmean_pitch_midi ", profile.mean_pitch_midi, "\npower_quantiles_db ",
                      absl::StrJoin(profile.power_quantiles_db, " "), "\n");
}

absl::StatusOr<PerformerProfile> ParseProfile(absl::string_view text) {
  PerformerProfile profile;
  for (const auto line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    RETURN_IF_ERROR(ParseLine(parts.first, parts.second, &profile));
  }
  RETURN_IF_ERROR(ValidateProfile(profile));
  return profile;
}

absl::Status WriteProfile(const std::string& path, const PerformerProfile& profile) {
  return WriteFileAtomically(path, FormatProfile(profile));
}

absl::StatusOr<PerformerProfile> ReadProfile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  absl::StatusOr<PerformerProfile> profile = ParseProfile(text);
  if (!profile.ok()) return absl::Status(profile.status().code(), absl::StrCat(path, ": ", profile.status().message()));
  return profile;
}

ProfileMap::ProfileMap(const PerformerProfile& performer, const PerformerProfile& voice)
    : octave_shift_semitones_(static_cast<float>(OctaveShift(voice.mean_pitch_midi - performer.mean_pitch_midi))) {
  const std::vector<float>& from = performer.power_quantiles_db;
  for (size_t i = 0; i < from.size(); ++i) {
    const double position = static_cast<double>(i) / (from.size() - 1) * (voice.power_quantiles_db.size() - 1);
    const float to = Interpolate(voice.power_quantiles_db, position);
    if (!from_.empty() && from[i] == from_.back()) {
      to_.back() = to;
      continue;
    }
    from_.push_back(from[i]);
    to_.push_back(to);
  }
}

float ProfileMap::PowerDb(float power_db) const {
  if (from_.empty()) return power_db;
  if (power_db <= from_.front()) return power_db - from_.front() + to_.front();
  if (power_db >= from_.back()) return power_db - from_.back() + to_.back();
  const size_t high = std::upper_bound(from_.begin(), from_.end(), power_db) - from_.begin();
  const float weight = (power_db - from_[high - 1]) / (from_[high] - from_[high - 1]);
  return to_[high - 1] + weight * (to_[high] - to_[high - 1]);
}

}  // namespace ddsp
