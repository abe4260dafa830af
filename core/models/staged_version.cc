#include "core/models/staged_version.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

namespace fs = std::filesystem;

// No version's name begins with a dot.
std::string StagingName() {
  static std::atomic<int> count = 0;
  return absl::StrCat(".staging-", getpid(), "-", count++);
}

}  // namespace

StagedVersion::StagedVersion(const std::string& repository, const std::string& model)
    : model_directory_(fs::path(repository) / model),
      model_(model),
      directory_(fs::path(model_directory_) / StagingName()) {}

StagedVersion::~StagedVersion() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

absl::Status StagedVersion::Fill(const ReadBundleFile& read) const {
  return CopyBundle(read, [this](const std::string& path, const std::string& content) { return Write(path, content); });
}

absl::Status StagedVersion::Write(const std::string& path, const std::string& content) const {
  const fs::path target = fs::path(directory_) / path;
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot create ", target.parent_path().string()));
  }
  return WriteFileAtomically(target, content);
}

absl::StatusOr<VoiceLocation> StagedVersion::PublishAs(int64_t version) const {
  const std::string target = absl::StrCat(model_directory_, "/", version);
  if (std::rename(directory_.c_str(), target.c_str()) == 0) {
    return VoiceLocation{.model = model_, .version = version, .directory = target};
  }
  if (errno == ENOTEMPTY || errno == EEXIST) return absl::AlreadyExistsError(absl::StrCat(target, " is there already"));
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot rename to ", target));
}

absl::StatusOr<VoiceLocation> StagedVersion::PublishNext() const {
  while (true) {
    absl::StatusOr<VoiceLocation> published = PublishAs(NextVersion(model_directory_));
    if (!absl::IsAlreadyExists(published.status())) return published;  // else somebody was faster
  }
}

ReadBundleFile ReadsBelow(std::string directory) {
  return [directory = std::move(directory)](const std::string& path) { return ReadFile(directory + "/" + path); };
}

}  // namespace ddsp
