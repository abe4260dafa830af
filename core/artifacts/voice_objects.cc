#include "core/artifacts/voice_objects.h"

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "core/models/voice_name.h"

namespace ddsp {
namespace {

constexpr char kClaim[] = "CLAIM";

// "violin/3/MANIFEST.textproto" -> 3; 0 when the key is no file of a version.
int64_t VersionIn(const std::vector<std::string>& parts) {
  int64_t version = 0;
  if (parts.size() < 3 || !absl::SimpleAtoi(parts[1], &version) || version <= 0) return 0;
  return parts[1] == absl::StrCat(version) ? version : 0;
}

std::string KeyOf(const std::string& model, int64_t version, const std::string& path) {
  return absl::StrCat(model, "/", version, "/", path);
}

std::string AliasesKey(const std::string& model) { return absl::StrCat(model, "/", kAliasesFile); }

// Takes the first free number after all that are claimed or published.
absl::StatusOr<int64_t> ClaimVersion(const std::string& model, ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, store.List(model + "/"));
  int64_t version = 1;
  for (const ObjectInfo& object : objects) {
    version = std::max(version, VersionIn(absl::StrSplit(object.key, '/')) + 1);
  }
  while (true) {
    const absl::Status claimed = store.Write(KeyOf(model, version, kClaim), "", ObjectStore::Put::kNew);
    if (claimed.ok()) return version;
    if (!absl::IsAlreadyExists(claimed)) return claimed;
    ++version;
  }
}

}  // namespace

absl::StatusOr<std::map<std::string, ListedModel>> ListModels(ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, store.List(""));
  std::map<std::string, ListedModel> models;
  for (const ObjectInfo& object : objects) {
    const std::vector<std::string> parts = absl::StrSplit(object.key, '/');
    if (!IsVoiceName(parts[0])) continue;
    if (parts.size() == 2 && parts[1] == kAliasesFile) models[parts[0]].aliases_etag = object.etag;
    if (parts.size() == 3 && VersionIn(parts) > 0 && parts[2] == kManifestFile) {
      models[parts[0]].versions[VersionIn(parts)] = object.etag;
    }
  }
  std::erase_if(models, [](const auto& model) { return model.second.versions.empty(); });
  return models;
}

ReadBundleFile ReadsVersion(ObjectStore& store, const std::string& model, int64_t version) {
  return [&store, model, version](const std::string& path) { return store.Get(KeyOf(model, version, path)); };
}

absl::StatusOr<int64_t> PublishObjects(const ReadBundleFile& read, const std::string& model, ObjectStore& store) {
  ASSIGN_OR_RETURN(const int64_t version, ClaimVersion(model, store));
  RETURN_IF_ERROR(CopyBundle(read, [&](const std::string& path, const std::string& content) {
    return store.Write(KeyOf(model, version, path), content, ObjectStore::Put::kReplace);
  }));
  return version;
}

absl::StatusOr<VoiceAliases> ReadAliases(ObjectStore& store, const std::string& model) {
  const absl::StatusOr<std::string> text = store.Get(AliasesKey(model));
  if (absl::IsNotFound(text.status())) return VoiceAliases();
  RETURN_IF_ERROR(text.status());
  absl::StatusOr<VoiceAliases> aliases = ParseAliases(*text);
  if (!aliases.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(store.name(), "/", AliasesKey(model), ": ", aliases.status().message()));
  }
  return aliases;
}

absl::Status WriteAliases(const VoiceAliases& aliases, const std::string& model, ObjectStore& store) {
  return store.Write(AliasesKey(model), FormatAliases(aliases), ObjectStore::Put::kReplace);
}

}  // namespace ddsp
