#include "server/registry/repository_loader.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/clock.h"
#include "core/base/status_macros.h"
#include "core/models/aliases.h"
#include "server/registry/feature_engine.h"

namespace ddsp::server {

absl::StatusOr<VoiceListing> LoadListing(const VoiceLocation& location, int slots, const EngineMaker& make_engine) {
  const absl::Time begin = Clock::Steady().Now();
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(location.directory));
  VoiceListing listing{.model = location.model, .version = location.version, .voice = voice};
  ASSIGN_OR_RETURN(listing.engine, make_engine(voice, slots));
  listing.load_seconds = absl::ToDoubleSeconds(Clock::Steady().Now() - begin);
  return listing;
}

namespace {

absl::Status AddAliases(const std::string& repository, VoiceListing* listing) {
  ASSIGN_OR_RETURN(const VoiceAliases aliases, ReadAliases(absl::StrCat(repository, "/", listing->model)));
  for (const auto& [alias, version] : aliases) {
    if (version == listing->version) listing->aliases.push_back(alias);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<VoiceListing>> LoadRepository(const std::string& repository, int slots,
                                                         const EngineMaker& make_engine) {
  ASSIGN_OR_RETURN(const std::vector<VoiceLocation> locations, ListVoices(repository));
  std::vector<std::future<absl::StatusOr<VoiceListing>>> loads;
  for (const VoiceLocation& location : locations) {
    loads.push_back(std::async(std::launch::async,
                               [&location, slots, &make_engine] { return LoadListing(location, slots, make_engine); }));
  }
  std::vector<VoiceListing> listings;
  std::vector<std::string> failures;
  for (size_t i = 0; i < loads.size(); ++i) {
    absl::StatusOr<VoiceListing> listing = loads[i].get();
    absl::Status status = listing.status();
    if (status.ok()) status = AddAliases(repository, &*listing);
    if (status.ok()) {
      listings.push_back(*std::move(listing));
    } else {
      failures.push_back(absl::StrCat(locations[i].directory, ": ", status.ToString()));
    }
  }
  if (!failures.empty()) return absl::FailedPreconditionError(absl::StrJoin(failures, "\n"));
  return listings;
}

absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeFeatureEngine(int slots) {
  ASSIGN_OR_RETURN(std::unique_ptr<FeatureExtractor> extractor, FeatureExtractor::Create(FeatureSettings{}));
  return std::make_unique<FeatureEngine>(std::move(extractor), slots);
}

}  // namespace ddsp::server
