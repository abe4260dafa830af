#include "client/cli/voice_source.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/artifacts/oci_layout.h"
#include "core/artifacts/oci_manifest.h"
#include "core/artifacts/oci_registry.h"
#include "core/artifacts/s3_store.h"
#include "core/artifacts/voice_objects.h"
#include "core/base/status_macros.h"
#include "core/models/voice_name.h"

namespace ddsp::client {
namespace {

constexpr char kLayoutScheme[] = "oci:";

struct ObjectReference {
  std::string store, model, alias;
  int64_t version = 0;
};

// The voice is the end of the URL, the repository what comes before.
absl::StatusOr<ObjectReference> SplitS3(std::string text) {
  ObjectReference reference;
  const std::string whole = text;
  const auto cut = [&text] {
    const size_t slash = text.rfind('/');
    const std::string last = slash == std::string::npos ? "" : text.substr(slash + 1);
    text.resize(slash == std::string::npos ? 0 : slash);
    return last;
  };
  reference.model = cut();
  if (absl::SimpleAtoi(reference.model, &reference.version)) reference.model = cut();
  const std::vector<std::string> parts = absl::StrSplit(reference.model, absl::MaxSplits('@', 1));
  reference.model = parts[0];
  if (parts.size() == 2) reference.alias = parts[1];
  reference.store = text;
  if (!IsVoiceName(reference.model) || !IsS3Url(reference.store) || reference.version < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", whole, "' is not s3://BUCKET/PREFIX/MODEL, .../MODEL/VERSION or .../MODEL@ALIAS"));
  }
  return reference;
}

absl::StatusOr<VoiceSource> OpenS3(const std::string& text) {
  ASSIGN_OR_RETURN(ObjectReference reference, SplitS3(text));
  ASSIGN_OR_RETURN(std::shared_ptr<S3Store> store, S3Store::Open(reference.store));
  if (!reference.alias.empty()) {
    ASSIGN_OR_RETURN(const VoiceAliases aliases, ReadAliases(*store, reference.model));
    const auto alias = aliases.find(reference.alias);
    if (alias == aliases.end()) return absl::NotFoundError(absl::StrCat(text, ": there is no such alias"));
    reference.version = alias->second;
  } else if (reference.version == 0) {
    ASSIGN_OR_RETURN(const auto models, ListModels(*store));
    const auto model = models.find(reference.model);
    if (model == models.end()) {
      return absl::NotFoundError(absl::StrCat(store->name(), " has no model '", reference.model, "'"));
    }
    reference.version = model->second.versions.rbegin()->first;
  }
  return VoiceSource{.model = reference.model,
                     .version = reference.version,
                     .read = [store, read = ReadsVersion(*store, reference.model, reference.version)](
                                 const std::string& path) { return read(path); }};
}

absl::StatusOr<VoiceSource> FromArtifact(OciArtifact artifact, const std::string& text) {
  VoiceSource source{.model = artifact.manifest.annotations[kOciTitle]};
  if (!IsVoiceName(source.model)) {
    return absl::InvalidArgumentError(
        absl::StrCat(text, ": its annotation ", kOciTitle, " is '", source.model, "', no name of a voice"));
  }
  if (!absl::SimpleAtoi(artifact.manifest.annotations[kOciVersion], &source.version) || source.version < 0) {
    source.version = 0;
  }
  source.read = ReadsArtifact(std::move(artifact));
  return source;
}

absl::StatusOr<VoiceSource> OpenLayout(const std::string& text) {
  std::string directory = text.substr(sizeof kLayoutScheme - 1), tag;
  if (const size_t colon = directory.rfind(':'); colon != std::string::npos) {
    tag = directory.substr(colon + 1);
    directory.resize(colon);
  }
  ASSIGN_OR_RETURN(OciArtifact artifact, OpenOciLayout(directory, tag));
  return FromArtifact(std::move(artifact), text);
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

absl::StatusOr<VoiceSource> OpenVoiceSource(const std::string& text) {
  if (IsS3Url(text)) return OpenS3(text);
  if (absl::StartsWith(text, "oci://")) {
    ASSIGN_OR_RETURN(const OciReference reference, OciReference::Parse(text));
    const OciRegistryOptions options{.user = Variable("DDSP_OCI_USER"),
                                     .password = Variable("DDSP_OCI_PASSWORD"),
                                     .ca_file = Variable("SSL_CERT_FILE")};
    ASSIGN_OR_RETURN(OciArtifact artifact, PullOciArtifact(reference, options));
    return FromArtifact(std::move(artifact), text);
  }
  if (absl::StartsWith(text, kLayoutScheme)) return OpenLayout(text);
  return absl::InvalidArgumentError(absl::StrCat("'", text, "' is none of s3://..., oci://... and oci:DIRECTORY"));
}

}  // namespace ddsp::client
