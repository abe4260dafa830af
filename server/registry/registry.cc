#include "server/registry/registry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr char kFeaturesModel[] = "features";
// Of a client's text that is repeated to it.
constexpr size_t kMostEcho = 80;

}  // namespace

Registry::Registry(std::vector<VoiceListing> voices, std::unique_ptr<VoiceEngine> features) {
  std::sort(voices.begin(), voices.end(), [](const VoiceListing& a, const VoiceListing& b) {
    return std::tie(a.model, a.version) < std::tie(b.model, b.version);
  });
  for (VoiceListing& listing : voices) {
    hosted_.push_back(std::make_unique<HostedVoice>(listing.model, listing.version, std::move(listing.engine)));
    HostedVoice* voice = hosted_.back().get();
    voice->voice = std::move(listing.voice);
    voice->load_seconds = listing.load_seconds;
    by_reference_[voice->id()] = voice;
    by_reference_[listing.model] = voice;  // a newer version replaces it
    for (const std::string& alias : listing.aliases) by_reference_[absl::StrCat(listing.model, "@", alias)] = voice;
  }
  hosted_.push_back(std::make_unique<HostedVoice>(kFeaturesModel, 0, std::move(features)));
}

absl::StatusOr<HostedVoice*> Registry::Resolve(std::string_view reference) const {
  const auto found = by_reference_.find(reference);
  if (found != by_reference_.end()) return found->second;
  const std::string asked(reference.substr(0, kMostEcho));
  const std::string known = models().empty() ? "none" : absl::StrJoin(models(), ", ");
  return MakeError(Reason::kModelNotFound, absl::StrCat("no model '", asked, "'; there is: ", known),
                   {{"model", asked}});
}

std::vector<std::string> Registry::models() const {
  std::vector<std::string> names;
  for (const auto& voice : hosted_) {
    if (voice.get() != hosted_.back().get() && (names.empty() || names.back() != voice->model())) {
      names.push_back(voice->model());
    }
  }
  return names;
}

}  // namespace ddsp::server
