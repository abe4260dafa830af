// A recording on disk, block by block, so that its length does not matter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ddsp {

inline constexpr int kMinFileRate = 8000, kMaxFileRate = 192000;  // Hz

// Reads whatever libsndfile does, as mono: the mean of all channels, full scale is 1.
class AudioReader {
 public:
  // Errors name the path and the reason: NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT (a directory, no audio, empty,
  // without samples, a rate out of range).
  static absl::StatusOr<AudioReader> Open(const std::string& path);
  ~AudioReader();
  AudioReader(AudioReader&&) noexcept;

  int sample_rate() const { return sample_rate_; }  // Hz, kMinFileRate to kMaxFileRate
  // Samples that the header promises; a file that was cut off has fewer.
  int64_t promised_samples() const { return promised_samples_; }
  int64_t samples() const { return samples_; }  // read so far

  // Fills `out` from its beginning and returns how many samples there were; 0 at the end of the recording. Errors:
  // INVALID_ARGUMENT that names the path for a sample that is NaN or infinite and says where, and for a file that ends
  // right after its header.
  absl::StatusOr<int64_t> Read(absl::Span<float> out);

 private:
  struct File;
  AudioReader(std::string path, std::unique_ptr<File> file, int sample_rate, int64_t promised_samples);

  std::string path_;
  std::unique_ptr<File> file_;
  int sample_rate_ = 0;
  int64_t promised_samples_ = 0, samples_ = 0;
  std::vector<float> block_;  // frames of all channels
};

}  // namespace ddsp
