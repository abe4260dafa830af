#include "core/audio/audio_reader.h"

#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

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

}  // namespace

struct AudioReader::File {
  ~File() {
    if (handle != nullptr) sf_close(handle);
  }
  SNDFILE* handle = nullptr;
  SF_INFO info = {};
};

AudioReader::AudioReader(std::string path, std::unique_ptr<File> file, int sample_rate, int64_t promised_samples)
    : path_(std::move(path)), file_(std::move(file)), sample_rate_(sample_rate), promised_samples_(promised_samples) {}
AudioReader::~AudioReader() = default;
AudioReader::AudioReader(AudioReader&&) noexcept = default;

absl::StatusOr<AudioReader> AudioReader::Open(const std::string& path) {
  RETURN_IF_ERROR(CheckReadable(path));
  auto file = std::make_unique<File>();
  file->handle = sf_open(path.c_str(), SFM_READ, &file->info);
  if (file->handle == nullptr)
    return Invalid(path, absl::StrCat("is no audio file that can be read (", sf_strerror(nullptr), ")"));
  RETURN_IF_ERROR(CheckHeader(path, file->info));
  const SF_INFO info = file->info;
  return AudioReader(path, std::move(file), info.samplerate, info.frames);
}

absl::StatusOr<int64_t> AudioReader::Read(absl::Span<float> out) {
  constexpr size_t kFrames = 4096;
  const int channels = file_->info.channels;
  block_.resize(kFrames * channels);
  size_t made = 0;
  while (made < out.size()) {
    const auto wanted = static_cast<sf_count_t>(std::min(kFrames, out.size() - made));
    const sf_count_t got = sf_readf_float(file_->handle, block_.data(), wanted);
    if (got <= 0) break;
    for (sf_count_t i = 0; i < got; ++i, ++made) {
      out[made] = Mean(&block_[i * channels], channels);
      if (std::isfinite(out[made])) continue;
      return Invalid(path_, absl::StrCat("sample ", samples_ + static_cast<int64_t>(made), " is ", out[made],
                                         "; every sample must be finite"));
    }
  }
  samples_ += static_cast<int64_t>(made);
  if (samples_ == 0 && !out.empty()) return Invalid(path_, "holds no samples (cut off after its header)");
  return static_cast<int64_t>(made);
}

}  // namespace ddsp
