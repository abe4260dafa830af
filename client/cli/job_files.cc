#include "client/cli/job_files.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

// A server is not trusted with the user's disk.
absl::StatusOr<std::string> PathBelow(const std::string& folder, const v1::JobFile& file) {
  for (const absl::string_view part : absl::StrSplit(file.path(), '/')) {
    if (part.empty() || part == "." || part == ".." || part.find('\0') != part.npos) {
      return absl::InvalidArgumentError(absl::StrCat("the server names a file '", file.path(), "'"));
    }
  }
  return absl::StrCat(folder, "/", file.path());
}

absl::Status Fetch(BlobTransfer& blobs, const v1::JobFile& file, const std::string& folder,
                   const TransferProgress& progress) {
  ASSIGN_OR_RETURN(const std::string path, PathBelow(folder, file));
  return blobs.Download(file.sha256(), path, progress);
}

}  // namespace ddsp::client
