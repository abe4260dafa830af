// What others ask of the curator: loads, unloads, aliases.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/models/voice_name.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"
#include "server/registry/curator.h"
#include "server/registry/model_id.h"

namespace ddsp::server {

absl::StatusOr<Curator::Entry*> Curator::Known(const std::string& model) {
  const auto found = entries_.find(model);
  if (found == entries_.end() || found->second.book.versions().empty()) return ModelNotFound(model);
  return &found->second;
}

absl::StatusOr<int64_t> Curator::KnownVersion(const std::string& model, const Entry& entry, int64_t version) const {
  if (version == 0 && entry.book.newest() == 0) return ModelNotFound(model);
  if (version == 0) version = entry.book.newest();
  const ModelBook::Version* known = entry.book.Find(version);
  if (known == nullptr || !known->published) return ModelNotFound(ModelId(model, version));
  return version;
}

absl::Status Curator::Load(const std::string& model, int64_t version) {
  FetchRemote(model, version);
  const absl::Status seen = Look(ModelBook::NewVersions::kLeave);
  absl::Status status;
  {
    const MutexLock lock(&mu_);
    ASSIGN_OR_RETURN(Entry* const entry, Known(model));
    ASSIGN_OR_RETURN(const int64_t wanted, KnownVersion(model, *entry, version));
    const int64_t loads = entry->book.Find(wanted)->loads;
    if (version == 0) entry->book.AskForAll();
    entry->book.Ask(wanted);
    Settle(model, *entry);
    status = Await(model, wanted, loads);
  }
  changed_();
  return status;
}

absl::Status Curator::Await(const std::string& model, int64_t number, int64_t loads_before) {
  work_.NotifyAll();
  while (!stopping_) {
    const ModelBook::Version* version = entries_.at(model).book.Find(number);
    if (version == nullptr) return ModelNotFound(ModelId(model, number));
    if (version->state == VersionState::kReady) return absl::OkStatus();
    const ErrorMetadata metadata = {{"model", model}, {"version", absl::StrCat(number)}};
    if (version->state == VersionState::kUnavailable && version->loads > loads_before) {
      return MakeError(Reason::kModelLoadFailed,
                       absl::StrCat(ModelId(model, number), " could not be loaded: ", version->reason), metadata);
    }
    if (version->refused) {
      return MakeError(Reason::kModelNotReady, absl::StrCat(ModelId(model, number), " was unloaded meanwhile"),
                       metadata);
    }
    settled_.Wait(&mu_);
  }
  return MakeError(Reason::kServerDraining, "this server is stopping");
}

absl::Status Curator::Unload(const std::string& model, int64_t version) {
  {
    const MutexLock lock(&mu_);
    ASSIGN_OR_RETURN(Entry* const entry, Known(model));
    std::vector<int64_t> refused = {version};
    if (version == 0) {
      refused.clear();
      for (const auto& [number, known] : entry->book.versions()) refused.push_back(number);
    } else if (entry->book.Find(version) == nullptr) {
      return ModelNotFound(ModelId(model, version));
    }
    for (const int64_t number : refused) entry->book.Refuse(number);
    Settle(model, *entry);
    work_.NotifyAll();
    settled_.NotifyAll();
  }
  changed_();
  return absl::OkStatus();
}

absl::Status Curator::SetAlias(const std::string& model, const std::string& alias, int64_t version) {
  if (!IsVoiceName(alias)) {
    return MakeError(Reason::kInvalidModelRequest,
                     absl::StrCat("'", Echo(alias), "' is no name for an alias: [a-z][a-z0-9-]{0,62}"));
  }
  FetchRemote(model, version);
  const absl::Status seen = Look(ModelBook::NewVersions::kLeave);
  int64_t target = 0;
  absl::Status status;
  {
    const MutexLock lock(&mu_);
    ASSIGN_OR_RETURN(Entry* const entry, Known(model));
    ASSIGN_OR_RETURN(target, KnownVersion(model, *entry, version));
    const ModelBook::Version known = *entry->book.Find(target);
    entry->book.Hold(target);
    entry->book.Ask(target);
    if (!known.pinned) entry->book.Unpin(target);  // the alias will hold it
    Settle(model, *entry);
    status = Await(model, target, known.loads);
  }
  if (status.ok()) {
    status = RewriteAliases(model, [&](VoiceAliases& aliases) {
      aliases[alias] = target;
      return absl::OkStatus();
    });
  }
  {
    const MutexLock lock(&mu_);
    Entry& entry = entries_.at(model);
    entry.book.Unhold(target);
    Settle(model, entry);
    work_.NotifyAll();
  }
  changed_();
  return status;
}

absl::Status Curator::DeleteAlias(const std::string& model, const std::string& alias) {
  {
    const MutexLock lock(&mu_);
    RETURN_IF_ERROR(Known(model).status());
  }
  const absl::Status status = RewriteAliases(model, [&](VoiceAliases& aliases) {
    return aliases.erase(alias) > 0 ? absl::OkStatus() : ModelNotFound(absl::StrCat(model, "@", alias));
  });
  changed_();
  return status;
}

absl::Status Curator::RewriteAliases(const std::string& model,
                                     const std::function<absl::Status(VoiceAliases&)>& change) {
  const MutexLock one_at_a_time(&repository_mu_);
  FoundModel found;
  {
    const MutexLock lock(&mu_);
    found = entries_.at(model).found;
  }
  absl::StatusOr<VoiceAliases> aliases = ReadAliases(found.directory);
  if (aliases.ok()) RETURN_IF_ERROR(change(*aliases));
  absl::Status written = aliases.status();
  const std::shared_ptr<RemoteRepository>& remote = RepositoryOf(found.directory).remote;
  if (written.ok() && remote != nullptr) written = remote->WriteAliases(model, *aliases);
  if (written.ok()) written = WriteAliases(found.directory, *aliases);
  if (!written.ok()) {
    return MakeError(Reason::kRepositoryNotWritable,
                     absl::StrCat("aliases of ", model, " stay: ", Shortened(std::string(written.message()))),
                     {{"model", model}});
  }
  found.aliases = *std::move(aliases);
  const MutexLock lock(&mu_);
  Merge(model, found, ModelBook::NewVersions::kLeave);
  work_.NotifyAll();
  return absl::OkStatus();
}

}  // namespace ddsp::server
