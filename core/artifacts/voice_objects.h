// Voices in an object store, in the same form as on disk: <model>/<version>/MANIFEST.textproto and what it lists,
// <model>/aliases.textproto. Besides, <model>/<version>/CLAIM keeps two publishers from one number.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "core/artifacts/object_store.h"
#include "core/models/aliases.h"
#include "core/models/manifest.h"

namespace ddsp {

struct ListedModel {
  std::map<int64_t, std::string> versions;  // published: with a manifest. To its etag.
  std::string aliases_etag;                 // empty: there are none
};

// By name; objects that belong to no voice are passed over. Errors: those of the store.
absl::StatusOr<std::map<std::string, ListedModel>> ListModels(ObjectStore& store);

// For CopyBundle. The store outlives it.
ReadBundleFile ReadsVersion(ObjectStore& store, const std::string& model, int64_t version);

// Publishes what `read` gives as the model's next version, the manifest last. Returns its number. Errors: those of the
// store and of CopyBundle; then there is no new version.
absl::StatusOr<int64_t> PublishObjects(const ReadBundleFile& read, const std::string& model, ObjectStore& store);

// None where there is no object. Errors: INVALID_ARGUMENT with the line; those of the store.
absl::StatusOr<VoiceAliases> ReadAliases(ObjectStore& store, const std::string& model);
absl::Status WriteAliases(const VoiceAliases& aliases, const std::string& model, ObjectStore& store);

}  // namespace ddsp
