// A version on its way into a repository: written beside the others, then renamed, so that it appears whole or not at
// all.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/models/manifest.h"
#include "core/models/repository.h"

namespace ddsp {

class StagedVersion {
 public:
  // Below <repository>/<model>/, which is made where it is not there. Goes with the object, unless it was published.
  StagedVersion(const std::string& repository, const std::string& model);
  ~StagedVersion();
  StagedVersion(const StagedVersion&) = delete;
  StagedVersion& operator=(const StagedVersion&) = delete;

  const std::string& directory() const { return directory_; }
  // Copies the voice that `read` gives. Errors: those of CopyBundle and of the file system.
  absl::Status Fill(const ReadBundleFile& read) const;

  // Makes it the next version of its model. Errors: those of the file system, and then the repository is as it was.
  absl::StatusOr<VoiceLocation> PublishNext() const;
  // Errors: also ALREADY_EXISTS.
  absl::StatusOr<VoiceLocation> PublishAs(int64_t version) const;

 private:
  absl::Status Write(const std::string& path, const std::string& content) const;

  const std::string model_directory_, model_, directory_;
};

// A file below `directory`, for CopyBundle. Errors: NOT_FOUND.
ReadBundleFile ReadsBelow(std::string directory);

}  // namespace ddsp
