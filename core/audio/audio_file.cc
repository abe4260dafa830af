#include "core/audio/audio_file.h"

#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

struct CloseFile {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, CloseFile>;

absl::Status Invalid(const std::string& path, const std::string& reason) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", reason));
}

// What libsndfile would report as "unrecognised format", said plainly.
absl::Status CheckReadable(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || access(path.c_str(), R_OK) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  }
  if (S_ISDIR(info.st_mode)) return Invalid(path, "is a directory, not a recording");
  if (S_ISREG(info.st_mode) && info.st_size == 0) return Invalid(path, "the file is empty (0 bytes)");
  return absl::OkStatus();
}

absl::Status CheckHeader(const std::string& path, const SF_INFO& info) {
  if (info.frames <= 0) return Invalid(path, "holds no samples (zero length)");
  if (info.frames > kMaxFileFrames) {
    return Invalid(path, absl::StrCat(info.frames, " samples are more than ", kMaxFileFrames, "; cut it into parts"));
  }
  if (info.samplerate < kMinFileRate || info.samplerate > kMaxFileRate) {
    return Invalid(
        path, absl::StrCat("sample rate ", info.samplerate, " Hz is outside ", kMinFileRate, " to ", kMaxFileRate));
  }
  return absl::OkStatus();
}

float Mean(const float* frame, int channels) {
  if (channels == 1) return frame[0];
  double sum = 0;
  for (int c = 0; c < channels; ++c) sum += frame[c];
  return static_cast<float>(sum / channels);
}

// A header may promise more than a cut-off file holds: takes what is there.
std::vector<float> ReadMono(SNDFILE* file, const SF_INFO& info) {
  constexpr int kFrames = 4096;
  std::vector<float> block(size_t{kFrames} * info.channels), mono;
  mono.reserve(info.frames);
  for (sf_count_t n; (n = sf_readf_float(file, block.data(), kFrames)) > 0;) {
    for (sf_count_t i = 0; i < n; ++i) mono.push_back(Mean(&block[i * info.channels], info.channels));
  }
  return mono;
}

}  // namespace

absl::StatusOr<AudioFile> ReadAudioFile(const std::string& path) {
  RETURN_IF_ERROR(CheckReadable(path));
  SF_INFO info = {};
  const SoundFile file(sf_open(path.c_str(), SFM_READ, &info));
  if (file == nullptr)
    return Invalid(path, absl::StrCat("is no audio file that can be read (", sf_strerror(nullptr), ")"));
  RETURN_IF_ERROR(CheckHeader(path, info));
  AudioFile audio{info.samplerate, ReadMono(file.get(), info)};
  if (audio.samples.empty()) return Invalid(path, "holds no samples (cut off after its header)");
  const auto bad = std::find_if(audio.samples.begin(), audio.samples.end(), [](float x) { return !std::isfinite(x); });
  if (bad != audio.samples.end()) {
    return Invalid(path,
                   absl::StrCat("sample ", bad - audio.samples.begin(), " is ", *bad, "; every sample must be finite"));
  }
  return audio;
}

}  // namespace ddsp
