#include "server/registry/registry.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr char kFeaturesModel[] = "features";

// The version that the text after "violin" means: "", "/3" or "@champion".
std::optional<int64_t> VersionOf(const ModelRoutes& routes, std::string_view rest) {
  if (rest.empty()) {
    // Where none serves: whose turn it would be.
    if (!routes.serving.empty()) return routes.serving.rbegin()->first;
    if (!routes.absent.empty()) return routes.absent.rbegin()->first;
    return std::nullopt;
  }
  const std::string name(rest.substr(1));
  if (rest[0] == '@') {
    const auto found = routes.aliases.find(name);
    return found == routes.aliases.end() ? std::nullopt : std::optional(found->second);
  }
  int64_t version = 0;
  if (!absl::SimpleAtoi(name, &version) || name != absl::StrCat(version)) return std::nullopt;
  return version;
}

}  // namespace

Registry::Registry(std::vector<VoiceListing> voices, std::unique_ptr<VoiceEngine> features)
    : features_(std::make_shared<HostedVoice>(kFeaturesModel, 0, std::move(features))) {
  for (VoiceListing& listing : voices) {
    const auto voice = std::make_shared<HostedVoice>(listing.model, listing.version, std::move(listing.engine));
    voice->voice = std::move(listing.voice);
    voice->load_seconds = listing.load_seconds;
    ModelRoutes& routes = models_[listing.model];
    routes.serving[listing.version] = voice;
    for (const std::string& alias : listing.aliases) routes.aliases[alias] = listing.version;
  }
}

absl::Status Registry::NotFound(std::string_view reference) const {
  const std::string asked = Echo(reference);
  const std::vector<std::string> names = models();
  const std::string known = names.empty() ? "none" : absl::StrJoin(names, ", ");
  return MakeError(Reason::kModelNotFound, absl::StrCat("no model '", asked, "'; there is: ", known),
                   {{"model", asked}});
}

absl::StatusOr<std::shared_ptr<HostedVoice>> Registry::Resolve(std::string_view reference) const {
  const std::string_view model = reference.substr(0, reference.find_first_of("/@"));
  {
    const MutexLock lock(&mu_);
    if (const auto found = models_.find(model); found != models_.end()) {
      const ModelRoutes& routes = found->second;
      const std::optional<int64_t> version = VersionOf(routes, reference.substr(model.size()));
      if (version.has_value()) {
        if (const auto voice = routes.serving.find(*version); voice != routes.serving.end()) return voice->second;
        if (const auto why = routes.absent.find(*version); why != routes.absent.end()) {
          return MakeError(Reason::kModelNotReady, absl::StrCat(found->first, "/", *version, " ", why->second),
                           {{"model", found->first}, {"version", absl::StrCat(*version)}});
        }
      }
    }
  }
  return NotFound(reference);
}

void Registry::SetRoutes(const std::string& model, ModelRoutes routes) {
  const MutexLock lock(&mu_);
  // What is replaced is destroyed outside the lock.
  models_[model].serving.swap(routes.serving);
  models_[model].absent.swap(routes.absent);
  models_[model].aliases.swap(routes.aliases);
  if (models_[model] == ModelRoutes()) models_.erase(model);
}

std::vector<std::shared_ptr<HostedVoice>> Registry::hosted() const {
  std::vector<std::shared_ptr<HostedVoice>> voices;
  const MutexLock lock(&mu_);
  for (const auto& [name, routes] : models_) {
    for (const auto& [version, voice] : routes.serving) voices.push_back(voice);
  }
  voices.push_back(features_);
  return voices;
}

std::vector<std::string> Registry::models() const {
  std::vector<std::string> names;
  const MutexLock lock(&mu_);
  for (const auto& [name, routes] : models_) {
    if (!routes.serving.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace ddsp::server
