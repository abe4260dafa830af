// pitch_views HOP FILE.wav...: writes what the pitch network would be asked every HOP samples of each recording (16
// kHz, mono) into FILE.views, a row per instant, instant n in the middle of sample n * HOP: [views, 2][grid bin]
// correlation at the period and match with the harmonics of each view, then [views] its level in dB, all as half floats
// (16 bit, little-endian).
#include "core/features/pitch_views.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/wav.h"
#include "core/features/frame_level.h"

namespace ddsp {
namespace {

constexpr int kSampleRate = 16000;
constexpr int kHalfWindow = 512;

// Rounds to nearest; magnitudes below 2^-14, where half floats thin out, become 0. |x| < 65504.
uint16_t HalfBits(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x), sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = (bits & 0x7fffffffu) + 0x0fffu + (bits >> 13 & 1u);
  if (magnitude < 0x38800000u) return static_cast<uint16_t>(sign);
  return static_cast<uint16_t>(sign | (magnitude - 0x38000000u) >> 13);
}

class ViewsWriter {
 public:
  explicit ViewsWriter(std::ofstream& out) : out_(out) {
    for (const PitchView& view : kPitchViews) periodicities_.push_back(view.MakePeriodicity(kSampleRate));
  }

  // `window`: the 2 * kHalfWindow samples about an instant.
  void Write(std::span<const float> window) {
    std::vector<uint16_t> row;
    for (size_t v = 0; v < kPitchViews.size(); ++v) {
      periodicities_[v].Measure(kPitchViews[v].Of(window), power_, reading_);
      periodicities_[v].MatchHarmonics(&reading_, sizeof(reading_), 1);
      for (float x : reading_.at_period) row.push_back(HalfBits(x));
      for (float x : reading_.at_harmonics) row.push_back(HalfBits(x));
    }
    for (const PitchView& view : kPitchViews) row.push_back(HalfBits(FramePowerDb(view.Of(window))));
    out_.write(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(row[0]));
  }

 private:
  std::ofstream& out_;
  std::vector<Periodicity> periodicities_;
  Periodicity::Power power_;
  Periodicity::Reading reading_;
};

absl::Status WriteViews(const std::string& path, int hop) {
  const absl::StatusOr<Wav> wav = ReadWav(path);
  if (!wav.ok()) return wav.status();
  if (wav->sample_rate != kSampleRate || wav->channels != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", wav->channels, " channels at ", wav->sample_rate, " Hz, not one at ", kSampleRate));
  }
  std::vector<float> padded(wav->samples.size() + 2 * kHalfWindow);
  std::copy(wav->samples.begin(), wav->samples.end(), padded.begin() + kHalfWindow);
  const std::string result = absl::StrCat(absl::StripSuffix(path, ".wav"), ".views");
  std::ofstream out(result, std::ios::binary);
  ViewsWriter writer(out);
  for (size_t at = 0; at <= wav->samples.size(); at += hop) {
    writer.Write(std::span<const float>(padded).subspan(at, 2 * kHalfWindow));
  }
  out.close();
  return out ? absl::OkStatus() : absl::DataLossError(absl::StrCat("cannot write ", result));
}

int Main(int argc, char** argv) {
  int hop = 0;
  if (argc < 3 || !absl::SimpleAtoi(argv[1], &hop) || hop < 1) {
    std::fprintf(stderr, "usage: pitch_views HOP FILE.wav...\n");
    return 2;
  }
  for (int i = 2; i < argc; ++i) {
    const absl::Status status = WriteViews(argv[i], hop);
    if (!status.ok()) {
      std::fprintf(stderr, "pitch_views: %s\n", std::string(status.message()).c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace ddsp

int main(int argc, char** argv) { return ddsp::Main(argc, argv); }
