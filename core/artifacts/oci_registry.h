// Pulling artifacts from an OCI registry, by the distribution API: https://github.com/opencontainers/distribution-spec.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/artifacts/oci_layout.h"

namespace ddsp {

// "oci://registry.example.org/team/violin:3".
struct OciReference {
  std::string registry;    // host, or host:port
  std::string repository;  // "team/violin"
  std::string tag;         // "latest" where none was named; or a digest
  // Errors: INVALID_ARGUMENT.
  static absl::StatusOr<OciReference> Parse(std::string_view url);
  // HTTPS; plain HTTP for this machine alone, as other OCI tools have it.
  std::string base_url() const;
};

struct OciRegistryOptions {
  std::string user, password;  // empty: anonymous
  std::string ca_file;
};

// Errors: NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE; those of the manifest. Blobs are fetched when they are read.
absl::StatusOr<OciArtifact> PullOciArtifact(const OciReference& reference, const OciRegistryOptions& options);

// What a registry asks for in WWW-Authenticate: Bearer realm="...",service="...",scope="...". Returns the URL where a
// token is to be had; empty when it asks for something else.
std::string OciTokenUrl(std::string_view challenge);

}  // namespace ddsp
