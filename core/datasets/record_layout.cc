#include "core/datasets/record_layout.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

constexpr char kAudio[] = "audio", kAudio16k[] = "audio_16k", kF0[] = "f0_hz";
constexpr int kPitchRate = 16000;

absl::StatusOr<int64_t> WholeSamples(double seconds, int rate) {
  const double samples = seconds * rate;
  if (std::fabs(samples - std::round(samples)) < 1e-6) return std::llround(samples);
  return absl::InvalidArgumentError(
      absl::StrCat("example_secs is ", seconds, ", which is no whole number of samples at ", rate, " Hz"));
}

std::string Fitting(const ExampleRecord& record, const RecordLayout& wanted) {
  std::vector<std::string> flags;
  for (const RecordLayout& layout : FittingLayouts(record, wanted)) flags.push_back(FlagsOf(layout));
  return flags.empty() ? "no flags fit all features of this record" : "this fits: " + absl::StrJoin(flags, ", or ");
}

bool Fits(const ExampleRecord& record, const std::map<std::string, int64_t>& lengths) {
  for (const auto& [name, length] : lengths) {
    const auto values = record.floats.find(name);
    if (values != record.floats.end() && static_cast<int64_t>(values->second.size()) != length) return false;
  }
  return true;
}

}  // namespace

absl::Status CheckFeature(const ExampleRecord& record, const std::string& name) {
  const auto other = record.others.find(name);
  if (other != record.others.end())
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' holds ", other->second, ", expected floats"));
  const auto values = record.floats.find(name);
  if (values == record.floats.end())
    return absl::InvalidArgumentError(
        absl::StrCat("no feature '", name, "'; there are ", absl::StrJoin(record.names(), ", ")));
  for (size_t i = 0; i < values->second.size(); ++i) {
    if (!std::isfinite(values->second[i]))
      return absl::InvalidArgumentError(absl::StrCat("value ", i, " of '", name, "' is ", values->second[i]));
  }
  return absl::OkStatus();
}

std::string FlagsOf(const RecordLayout& layout) {
  return absl::StrCat("--example-secs ", layout.example_secs, " --sample-rate ", layout.sample_rate, " --frame-rate ",
                      layout.frame_rate, layout.frames == RecordFrames::kCentered ? " --centered" : "");
}

absl::StatusOr<std::map<std::string, int64_t>> LengthsOf(const RecordLayout& layout) {
  if (!(layout.example_secs > 0 && layout.example_secs <= 86400))
    return absl::InvalidArgumentError(absl::StrCat("example_secs is ", layout.example_secs, ", expected (0, 86400]"));
  if (layout.sample_rate < 1) return absl::InvalidArgumentError(absl::StrCat("sample_rate is ", layout.sample_rate));
  if (layout.frame_rate < 1 || layout.sample_rate % layout.frame_rate != 0)
    return absl::InvalidArgumentError(
        absl::StrCat("frame_rate is ", layout.frame_rate, ", expected a divisor of sample_rate, ", layout.sample_rate));
  ASSIGN_OR_RETURN(const int64_t audio, WholeSamples(layout.example_secs, layout.sample_rate));
  ASSIGN_OR_RETURN(const int64_t audio_16k, WholeSamples(layout.example_secs, kPitchRate));
  const int64_t hop = layout.sample_rate / layout.frame_rate;
  const int64_t frames = layout.frames == RecordFrames::kCentered ? audio / hop + 1 : (audio + hop - 1) / hop;
  return std::map<std::string, int64_t>{
      {kAudio, audio}, {kAudio16k, audio_16k}, {kF0, frames}, {"f0_confidence", frames}, {"loudness_db", frames}};
}

std::vector<RecordLayout> FittingLayouts(const ExampleRecord& record, const RecordLayout& wanted) {
  const auto size = [&](const char* name) {
    const auto values = record.floats.find(name);
    return values == record.floats.end() ? int64_t{0} : static_cast<int64_t>(values->second.size());
  };
  const int64_t audio = size(kAudio), audio_16k = size(kAudio16k), frames = size(kF0);
  std::vector<RecordLayout> layouts;
  if (audio == 0 || frames == 0) return layouts;
  // Audio of a known rate says how long an example is; without audio_16k the rate is taken to be the one asked for.
  RecordLayout layout = wanted;
  layout.example_secs =
      audio_16k > 0 ? static_cast<double>(audio_16k) / kPitchRate : static_cast<double>(audio) / wanted.sample_rate;
  layout.sample_rate = static_cast<int>(std::lround(static_cast<double>(audio) / layout.example_secs));
  for (const RecordFrames alignment : {RecordFrames::kFromHop, RecordFrames::kCentered}) {
    const int64_t intervals = alignment == RecordFrames::kCentered ? frames - 1 : frames;
    layout.frames = alignment;
    layout.frame_rate = static_cast<int>(std::lround(static_cast<double>(intervals) / layout.example_secs));
    const auto lengths = LengthsOf(layout);
    if (lengths.ok() && Fits(record, *lengths)) layouts.push_back(layout);
  }
  return layouts;
}

absl::Status CheckRecord(const ExampleRecord& record, const RecordLayout& layout) {
  ASSIGN_OR_RETURN(const auto lengths, LengthsOf(layout));
  for (const auto& [name, length] : lengths) {
    if (name == kAudio16k && !record.floats.contains(name) && !record.others.contains(name)) continue;
    RETURN_IF_ERROR(CheckFeature(record, name));
    const size_t size = record.floats.at(name).size();
    if (static_cast<int64_t>(size) == length) continue;
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' has ", size, " values, expected ", length, " (",
                                                   FlagsOf(layout), "); ", Fitting(record, layout)));
  }
  return absl::OkStatus();
}

}  // namespace ddsp
