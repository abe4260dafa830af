// Writes a data set recording by recording, piece by piece: what is held in memory does not depend on how long a
// recording is.
//
// A shard is a safetensors file whose header has a fixed room and is written when the shard is full; until then its
// name ends in ".part". `%06d/audio` and `%06d/features` are a recording's, its name is the metadata `%06d`.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/training/dataset.h"

namespace ddsp::training {

inline constexpr int kShardFeatureColumns = 5;  // f0_hz, f0_confidence, voiced, loudness_db, power_db
std::string ShardName(int64_t shard);

// Where recordings go as they are read.
class RecordingSink {
 public:
  virtual ~RecordingSink() = default;
  virtual absl::Status Begin(const std::string& name) = 0;
  virtual absl::Status Append(absl::Span<const float> audio) = 0;
  // The recording is the first `samples` of what was appended.
  virtual absl::Status End(int64_t samples, const std::vector<FeatureFrame>& frames) = 0;
  // Forgets the recording that was begun.
  virtual absl::Status Drop() = 0;
};

class DatasetWriter : public RecordingSink {
 public:
  // Makes `directory` and removes the files of an earlier set in it, no others. Errors name the path.
  static absl::StatusOr<std::unique_ptr<DatasetWriter>> Create(const std::string& directory,
                                                               int64_t shard_bytes = int64_t{64} << 20);
  ~DatasetWriter() override;

  absl::Status Begin(const std::string& name) override;
  absl::Status Append(absl::Span<const float> audio) override;
  absl::Status End(int64_t samples, const std::vector<FeatureFrame>& frames) override;
  absl::Status Drop() override;

  // Closes the last shard and writes the index: settings, rate, fingerprint, examples and remarks of `dataset`, whose
  // recordings are ignored.
  absl::Status Finish(const Dataset& dataset);

 private:
  struct Entry {
    std::string key, name;
    int64_t begin = 0, samples = 0, frames = 0;  // begin: bytes behind the header
  };
  DatasetWriter(std::string directory, int64_t shard_bytes)
      : directory_(std::move(directory)), shard_bytes_(shard_bytes) {}
  absl::Status OpenShard();
  absl::Status CloseShard();
  absl::Status Write(const void* bytes, size_t size);
  absl::Status Seek(int64_t data_offset);
  std::string PartPath() const;

  const std::string directory_;
  const int64_t shard_bytes_;
  std::FILE* file_ = nullptr;
  std::vector<Entry> entries_;  // of the open shard
  size_t header_estimate_ = 0;  // bytes that they take in its header
  int64_t at_ = 0;              // bytes written behind the header
  Entry current_;
  int64_t shards_ = 0, recordings_ = 0;
};

}  // namespace ddsp::training
