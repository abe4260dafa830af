// A directory in OCI image layout: blobs by digest, and an index. What `oras copy` and other tools read and write.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifacts/oci_manifest.h"
#include "core/models/manifest.h"

namespace ddsp {

// Adds the voice that `read` gives to the layout at `directory`, which is made where it is not there, under `tag`.
// Another artifact of that tag is replaced in the index; its blobs stay. Errors: those of CopyBundle and of the file
// system; INVALID_ARGUMENT (a directory that has an index which is none).
absl::Status AddToOciLayout(const ReadBundleFile& read, const std::map<std::string, std::string>& annotations,
                            const std::string& tag, const std::string& directory);

// Where the blobs of an artifact come from.
using ReadOciBlob = std::function<absl::StatusOr<std::string>(const OciFile& blob)>;
struct OciArtifact {
  OciManifest manifest;
  ReadOciBlob read_blob;
};

// The artifact of `tag`, or the only one. Errors: NOT_FOUND, INVALID_ARGUMENT, DATA_LOSS (a blob that is not its
// digest's).
absl::StatusOr<OciArtifact> OpenOciLayout(const std::string& directory, const std::string& tag);

// For CopyBundle: files by path, checked against their digests. Errors: NOT_FOUND, DATA_LOSS.
ReadBundleFile ReadsArtifact(OciArtifact artifact);

}  // namespace ddsp
