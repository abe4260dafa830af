#include "server/registry/repository_scan.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "core/models/repository.h"

namespace ddsp::server {
namespace {

std::string ManifestIn(const std::string& directory) { return absl::StrCat(directory, "/", kManifestFile); }

std::string FingerprintOf(const std::string& directory) {
  struct stat manifest = {};
  if (stat(ManifestIn(directory).c_str(), &manifest) != 0) return "";
  return absl::StrCat(manifest.st_ino, " ", manifest.st_size, " ", manifest.st_mtim.tv_sec, ".",
                      manifest.st_mtim.tv_nsec);
}

}  // namespace

absl::StatusOr<std::map<std::string, FoundModel>> ScanRepository(const std::string& repository) {
  ASSIGN_OR_RETURN(const std::vector<VoiceLocation> voices, ListVoices(repository));
  std::map<std::string, FoundModel> models;
  for (const VoiceLocation& voice : voices) {
    models[voice.model].versions[voice.version] = {.directory = voice.directory,
                                                   .fingerprint = FingerprintOf(voice.directory)};
  }
  for (auto& [name, model] : models) {
    model.directory = absl::StrCat(repository, "/", name);
    absl::StatusOr<VoiceAliases> aliases = ReadAliases(model.directory);
    model.aliases_status = aliases.status();
    if (aliases.ok()) model.aliases = *std::move(aliases);
  }
  return models;
}

bool IsGone(const std::string& version_directory) {
  struct stat manifest = {};
  return stat(ManifestIn(version_directory).c_str(), &manifest) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace ddsp::server
