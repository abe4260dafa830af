#include "server/voice_repositories.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "core/artifacts/s3_store.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

// Beside the store's name, for several servers of one machine may mirror several stores.
std::string MirrorOf(const ServerOptions& options) {
  namespace fs = std::filesystem;
  const fs::path cache =
      options.model_cache.empty() ? fs::temp_directory_path() / "ddsp-models" : fs::path(options.model_cache);
  return cache / Sha256Hex(options.model_repository).substr(0, 16);
}

absl::StatusOr<Curator::Repository> GivenRepository(const ServerOptions& options) {
  if (!IsS3Url(options.model_repository)) return Curator::Repository{.directory = options.model_repository};
  ASSIGN_OR_RETURN(std::unique_ptr<S3Store> store, S3Store::Open(options.model_repository));
  auto remote = std::make_shared<RemoteRepository>(std::move(store), MirrorOf(options), options.version_policies);
  return Curator::Repository{.directory = remote->mirror(), .remote = remote};
}

}  // namespace

absl::StatusOr<std::vector<Curator::Repository>> RepositoriesOf(const ServerOptions& options) {
  ASSIGN_OR_RETURN(Curator::Repository given, GivenRepository(options));
  std::vector<Curator::Repository> repositories = {std::move(given)};
  if (!options.jobs.data_dir.empty()) {
    repositories.push_back({.directory = options.jobs.models_folder(), .required = false});
  }
  return repositories;
}

}  // namespace ddsp::server
