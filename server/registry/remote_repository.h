// A repository in an object store, and its mirror: a directory on this machine from which voices are loaded. What was
// mirrored serves on while the store is away.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "core/artifacts/object_store.h"
#include "core/artifacts/voice_objects.h"
#include "core/base/mutex.h"
#include "core/models/aliases.h"
#include "server/registry/version_policy.h"

namespace ddsp::server {

// Thread-safe.
class RemoteRepository {
 public:
  // Of each model `policies` picks which versions are mirrored; those that an alias names are, too.
  RemoteRepository(std::unique_ptr<ObjectStore> store, std::string mirror, VersionPolicies policies);

  std::string name() const { return store_->name(); }
  const std::string& mirror() const { return mirror_; }

  // Brings the mirror up to date: fetches what is new, drops what is gone. Errors: those of the store; of versions that
  // could not be fetched, all of them, the rest is there nevertheless.
  absl::Status Refresh();
  // Mirrors a version that the policy does not pick. Errors: NOT_FOUND; those of the store.
  absl::Status Fetch(const std::string& model, int64_t version);
  // In the store; the mirror's are the caller's to write.
  absl::Status WriteAliases(const std::string& model, const VoiceAliases& aliases);

 private:
  absl::Status RefreshModel(const std::string& model, const ListedModel& listed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status FetchLocked(const std::string& model, int64_t version) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropAllBut(const std::map<std::string, ListedModel>& listed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::unique_ptr<ObjectStore> store_;
  const std::string mirror_;
  const VersionPolicies policies_;

  Mutex mu_;                                                              // also of the store
  std::map<std::string, std::string> aliases_etag_ ABSL_GUARDED_BY(mu_);  // of the mirror's
};

}  // namespace ddsp::server
