// MANIFEST.textproto: which files a voice consists of. Written last, hence the sign that a version is whole.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ddsp/v1/model.pb.h"

namespace ddsp {

// Errors: INVALID_ARGUMENT (no textproto; a path that is not plain and relative, or leaves the bundle, or is listed
// twice; a size beyond reason), NOT_FOUND (a file that every voice has is not listed).
absl::StatusOr<v1::Manifest> ParseManifest(const std::string& text);

// Errors: DATA_LOSS, when size or SHA-256 is another than the manifest's.
absl::Status CheckListed(const v1::Manifest::File& file, const std::string& content);

using ReadBundleFile = std::function<absl::StatusOr<std::string>(const std::string& path)>;
using WriteBundleFile = std::function<absl::Status(const std::string& path, const std::string& content)>;
// A voice from one place to another: every file that the manifest lists, checked, then the model card where there is
// one, and the manifest last. Errors: those of `read` and `write`, of the manifest and of its files.
absl::Status CopyBundle(const ReadBundleFile& read, const WriteBundleFile& write);

}  // namespace ddsp
