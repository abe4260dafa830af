#include "client/cli/bundle_path.h"

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/models/voice_name.h"

namespace ddsp::client {

absl::StatusOr<BundlePath> ParseBundlePath(const std::string& path, const std::string& name) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  const std::filesystem::path folder = normal.has_filename() ? normal : normal.parent_path();
  BundlePath bundle = {folder.string(), name.empty() ? folder.parent_path().filename().string() : name, 0};
  if (!absl::SimpleAtoi(folder.filename().string(), &bundle.version) || bundle.version < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out ", path, ": a bundle's folder is a version number, as in voices/violin/1"));
  }
  if (IsVoiceName(bundle.name)) return bundle;
  return absl::InvalidArgumentError(
      absl::StrCat("voice name '", bundle.name, "' is not [a-z][a-z0-9-]{0,62}; see --name"));
}

}  // namespace ddsp::client
