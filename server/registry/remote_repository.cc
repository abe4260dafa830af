#include "server/registry/remote_repository.h"

#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "core/models/repository.h"
#include "core/models/staged_version.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;

absl::Status MakeDirectory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? absl::ErrnoToStatus(error.value(), absl::StrCat("cannot create ", path.string())) : absl::OkStatus();
}

}  // namespace

RemoteRepository::RemoteRepository(std::unique_ptr<ObjectStore> store, std::string mirror, VersionPolicies policies)
    : store_(std::move(store)), mirror_(std::move(mirror)), policies_(std::move(policies)) {}

absl::Status RemoteRepository::Refresh() {
  const MutexLock lock(&mu_);
  RETURN_IF_ERROR(MakeDirectory(mirror_));
  ASSIGN_OR_RETURN(const auto listed, ListModels(*store_));
  std::vector<std::string> problems;
  for (const auto& [model, content] : listed) {
    const absl::Status status = RefreshModel(model, content);
    if (!status.ok()) problems.emplace_back(status.message());
  }
  DropAllBut(listed);
  return problems.empty() ? absl::OkStatus() : absl::UnavailableError(absl::StrJoin(problems, "\n"));
}

absl::Status RemoteRepository::RefreshModel(const std::string& model, const ListedModel& listed) {
  std::set<int64_t> published;
  for (const auto& [version, etag] : listed.versions) published.insert(version);
  std::set<int64_t> wanted = policies_.For(model).Pick(published);
  if (const std::string& etag = listed.aliases_etag; !etag.empty()) {
    const std::string directory = fs::path(mirror_) / model;
    if (aliases_etag_[model] != etag) {
      ASSIGN_OR_RETURN(const VoiceAliases fetched, ReadAliases(*store_, model));
      RETURN_IF_ERROR(MakeDirectory(directory));
      RETURN_IF_ERROR(ddsp::WriteAliases(directory, fetched));
      aliases_etag_[model] = etag;
    }
    ASSIGN_OR_RETURN(const VoiceAliases aliases, ReadAliases(directory));
    for (const auto& [alias, version] : aliases) {
      if (published.count(version) > 0) wanted.insert(version);
    }
  }
  absl::Status status;
  for (const int64_t version : wanted) status.Update(FetchLocked(model, version));
  return status;
}

absl::Status RemoteRepository::Fetch(const std::string& model, int64_t version) {
  const MutexLock lock(&mu_);
  return FetchLocked(model, version);
}

absl::Status RemoteRepository::FetchLocked(const std::string& model, int64_t version) {
  std::error_code error;
  // A published version never changes.
  if (fs::exists(fs::path(mirror_) / model / absl::StrCat(version) / kManifestFile, error)) return absl::OkStatus();
  const StagedVersion staged(mirror_, model);
  const absl::Status copied = staged.Fill(ReadsVersion(*store_, model, version));
  if (!copied.ok()) {
    return absl::Status(copied.code(), absl::StrCat("cannot fetch ", model, "/", version, ": ", copied.message()));
  }
  return staged.PublishAs(version).status();
}

void RemoteRepository::DropAllBut(const std::map<std::string, ListedModel>& listed) {
  const absl::StatusOr<std::vector<VoiceLocation>> mirrored = ListVoices(mirror_);
  if (!mirrored.ok()) return;
  for (const VoiceLocation& voice : *mirrored) {
    const auto model = listed.find(voice.model);
    if (model != listed.end() && model->second.versions.count(voice.version) > 0) continue;
    std::error_code ignored;
    fs::remove_all(voice.directory, ignored);
  }
}

absl::Status RemoteRepository::WriteAliases(const std::string& model, const VoiceAliases& aliases) {
  const MutexLock lock(&mu_);
  aliases_etag_.erase(model);
  return ddsp::WriteAliases(aliases, model, *store_);
}

}  // namespace ddsp::server
