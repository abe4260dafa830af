#include "server/jobs/desk/voice_files.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr char kVoiceFolder[] = "voice/";

absl::Status Refusal(const std::string& field, const std::string& problem) {
  return MakeFieldError(Reason::kInvalidJobRequest, absl::StrCat(field, " ", problem), {{field, problem}});
}

absl::Status CheckPath(const std::string& field, const std::string& path) {
  const std::string quoted = absl::StrCat("'", Echo(path), "'");
  if (path == kJobFile) return Refusal(field, quoted + " is a name that the server keeps for itself");
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part[0] == '.' || part.size() > 255 || absl::StrContains(part, '\0')) {
      return Refusal(field, quoted + " leaves the voice's directory or is hidden in it");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<VoiceFile>> VoiceFilesOf(const v1::JobResult& result, const VoiceFileLimits& limits) {
  std::vector<VoiceFile> files;
  int64_t bytes = 0;
  bool has_manifest = false;
  for (int i = 0; i < result.files_size(); ++i) {
    const v1::JobFile& file = result.files(i);
    absl::string_view path = file.path();
    if (!absl::ConsumePrefix(&path, kVoiceFolder)) continue;
    RETURN_IF_ERROR(CheckPath(absl::StrCat("result.files[", i, "].path"), std::string(path)));
    files.push_back({std::string(path), file.sha256()});
    has_manifest |= path == kManifestFile;
    bytes += file.size();
  }
  if (!has_manifest) return Refusal("result.files", absl::StrCat("has no ", kVoiceFolder, kManifestFile));
  if (static_cast<int>(files.size()) > limits.max_files) {
    return Refusal("result.files",
                   absl::StrCat("has ", files.size(), " files of the voice; at most ", limits.max_files));
  }
  if (bytes > limits.max_bytes) {
    return Refusal("result.files", absl::StrCat("has ", bytes, " bytes of the voice; at most ", limits.max_bytes));
  }
  return files;
}

}  // namespace ddsp::server
