// A voice as an OCI artifact: one layer per file, so that any OCI tool can carry it.
//
// https://github.com/opencontainers/image-spec: image manifest with artifactType, an empty config, and layers that are
// plain files named by the annotation org.opencontainers.image.title (the convention of ORAS).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp {

inline constexpr char kOciManifestType[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kOciIndexType[] = "application/vnd.oci.image.index.v1+json";
inline constexpr char kOciVoiceType[] = "application/vnd.ddsp.voice.v1";

// Annotations: of a layer its file, of a manifest the voice's name and version, of a descriptor its tag.
inline constexpr char kOciTitle[] = "org.opencontainers.image.title";
inline constexpr char kOciVersion[] = "org.opencontainers.image.version";
inline constexpr char kOciDescription[] = "org.opencontainers.image.description";
inline constexpr char kOciLicences[] = "org.opencontainers.image.licenses";
inline constexpr char kOciRefName[] = "org.opencontainers.image.ref.name";

// A layer: a file of the voice.
struct OciFile {
  std::string path;
  std::string digest;  // "sha256:" and 64 hexadecimal digits
  int64_t bytes = 0;
};

struct OciManifest {
  std::vector<OciFile> files;
  std::map<std::string, std::string> annotations;
};

// "sha256:..." of `content`.
std::string OciDigest(const std::string& content);

// Always the same text for the same content.
std::string FormatOciManifest(const OciManifest& manifest);
// Errors: INVALID_ARGUMENT (no manifest, or one of something else; a digest that is none; two layers of one path).
absl::StatusOr<OciManifest> ParseOciManifest(const std::string& text);

// The only descriptor of an index, or the one whose ref.name is `tag` (empty: the only one). Returns its digest.
// Errors: INVALID_ARGUMENT, NOT_FOUND with the tags that there are.
absl::StatusOr<std::string> FindInOciIndex(const std::string& index, const std::string& tag);

}  // namespace ddsp
