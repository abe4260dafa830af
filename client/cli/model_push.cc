#include "client/cli/model_push.h"

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/artifacts/s3_store.h"
#include "core/artifacts/voice_objects.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "core/models/staged_version.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;

// The card that `ddsp train` writes beside a version.
std::string CardBeside(const std::string& version_directory) {
  return (fs::path(version_directory) / "").lexically_normal().parent_path().string() + ".md";  // without a slash
}

// In an object store there is nothing beside a version: the card goes with its files.
absl::StatusOr<VoiceLocation> PushToStore(const std::string& version_directory, const std::string& model,
                                          const std::string& repository) {
  ASSIGN_OR_RETURN(const std::unique_ptr<S3Store> store, S3Store::Open(repository));
  const ReadBundleFile read = [read = ReadsBelow(version_directory), &version_directory](const std::string& path) {
    absl::StatusOr<std::string> content = read(path);
    if (path == kCardFile && absl::IsNotFound(content.status())) return ReadFile(CardBeside(version_directory));
    return content;
  };
  ASSIGN_OR_RETURN(const int64_t version, PublishObjects(read, model, *store));
  return VoiceLocation{model, version, absl::StrCat(store->name(), "/", model, "/", version)};
}

bool SameManifest(const std::string& a, const std::string& b) {
  const absl::StatusOr<std::string> first = ReadFile(a + "/" + kManifestFile),
                                    second = ReadFile(b + "/" + kManifestFile);
  return first.ok() && second.ok() && *first == *second;
}

}  // namespace

absl::StatusOr<VoiceLocation> PushVoice(const std::string& version_directory, const std::string& repository) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(version_directory));
  const std::string& model = voice->spec.name();
  if (IsS3Url(repository)) return PushToStore(version_directory, model, repository);
  const StagedVersion staged(repository, model);
  RETURN_IF_ERROR(staged.Fill(ReadsBelow(version_directory)));
  ASSIGN_OR_RETURN(const VoiceLocation published, staged.PublishNext());
  if (const absl::StatusOr<std::string> card = ReadFile(CardBeside(version_directory)); card.ok()) {
    RETURN_IF_ERROR(WriteFileAtomically(published.directory + ".md", *card));
  }
  return published;
}

absl::StatusOr<PulledVoice> PullVoice(const VoiceSource& source, const std::string& repository) {
  const StagedVersion staged(repository, source.model);
  RETURN_IF_ERROR(staged.Fill(source.read));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(staged.directory()));
  if (voice->spec.name() != source.model) {
    return absl::InvalidArgumentError(
        absl::StrCat("the voice is named '", voice->spec.name(), "', not '", source.model, "'"));
  }
  absl::StatusOr<VoiceLocation> published =
      source.version == 0 ? staged.PublishNext() : staged.PublishAs(source.version);
  if (published.ok()) return PulledVoice{.location = *published};
  const std::string there = absl::StrCat(repository, "/", source.model, "/", source.version);
  if (!absl::IsAlreadyExists(published.status()) || !SameManifest(there, staged.directory())) return published.status();
  return PulledVoice{.location = {source.model, source.version, there}, .was_there = true};
}

}  // namespace ddsp::client
