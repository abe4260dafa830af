#include "client/cli/model_directory.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/models/repository.h"

namespace ddsp::client {

absl::StatusOr<std::string> VersionDirectory(const std::string& directory) {
  namespace fs = std::filesystem;
  const fs::path path = fs::absolute(fs::path(directory) / "").lexically_normal().parent_path();
  const std::string leaf = path.filename().string();
  const bool is_version = !leaf.empty() && leaf.find_first_not_of("0123456789") == std::string::npos;
  if (is_version || fs::exists(path / "MANIFEST.textproto")) return directory;
  if (!fs::is_directory(path)) return absl::NotFoundError(absl::StrCat(directory, ": no such directory"));
  ASSIGN_OR_RETURN(const VoiceLocation location, FindVoice(path.parent_path().string(), leaf));
  return location.directory;
}

}  // namespace ddsp::client
