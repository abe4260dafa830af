#include "client/cli/model_push.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "core/models/text_proto.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;

// One more than the largest number there is, published or not.
int64_t NextVersion(const fs::path& model) {
  int64_t largest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model, error)) {
    int64_t version = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &version)) largest = std::max(largest, version);
  }
  return largest + 1;
}

// For people; no part of the format.
constexpr char kCardFile[] = "MODEL_CARD.md";

// What the manifest lists, what is said about the voice, and the manifest last.
absl::Status CopyBundle(const fs::path& from, const fs::path& to) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(from / kManifestFile));
  v1::Manifest manifest;
  RETURN_IF_ERROR(ParseTextProto(text, &manifest));
  for (const auto& file : manifest.files()) {
    ASSIGN_OR_RETURN(const std::string content, ReadFile(from / file.path()));
    std::error_code error;
    fs::create_directories((to / file.path()).parent_path(), error);
    if (error) return absl::PermissionDeniedError(absl::StrCat("cannot create ", to.string(), ": ", error.message()));
    RETURN_IF_ERROR(WriteFileAtomically(to / file.path(), content));
  }
  if (const absl::StatusOr<std::string> card = ReadFile(from / kCardFile); card.ok()) {
    RETURN_IF_ERROR(WriteFileAtomically(to / kCardFile, *card));
  }
  return WriteFileAtomically(to / kManifestFile, text);
}

// Goes with the object, unless it was renamed.
struct Staging {
  explicit Staging(fs::path path) : path(std::move(path)) {}
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  const fs::path path;
};

}  // namespace

absl::StatusOr<VoiceLocation> PushVoice(const std::string& version_directory, const std::string& repository) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(version_directory));
  const fs::path plain = (fs::path(version_directory) / "").lexically_normal().parent_path();  // without a slash
  const fs::path model = fs::path(repository) / voice->spec.name();
  const Staging staging(model / absl::StrCat(".push-", getpid()));
  RETURN_IF_ERROR(CopyBundle(version_directory, staging.path));
  RETURN_IF_ERROR(ReadBundle(staging.path).status());
  while (true) {
    const int64_t version = NextVersion(model);
    const fs::path target = model / absl::StrCat(version);
    if (std::rename(staging.path.c_str(), target.c_str()) == 0) {
      // `ddsp train` writes it beside the version.
      if (const absl::StatusOr<std::string> card = ReadFile(plain.string() + ".md"); card.ok()) {
        RETURN_IF_ERROR(WriteFileAtomically(target.string() + ".md", *card));
      }
      return VoiceLocation{.model = voice->spec.name(), .version = version, .directory = target};
    }
    // Somebody else was faster.
    if (errno == ENOTEMPTY || errno == EEXIST) continue;
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot rename to ", target.string()));
  }
}

}  // namespace ddsp::client
