// The voices that this server has loaded, by the names clients use. Constant after construction.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/registry/hosted_voice.h"

namespace ddsp::server {

// A loaded voice on its way into the registry.
struct VoiceListing {
  std::string model;
  int64_t version = 0;
  std::shared_ptr<const Voice> voice;
  std::unique_ptr<VoiceEngine> engine;
  std::vector<std::string> aliases;  // of this version
  double load_seconds = 0;
};

class Registry {
 public:
  // `features` serves sessions that need no voice. Model and version are unique among `voices`.
  Registry(std::vector<VoiceListing> voices, std::unique_ptr<VoiceEngine> features);

  // "violin" (the newest version), "violin/3" or "violin@champion". Errors: MODEL_NOT_FOUND that names what there is.
  absl::StatusOr<HostedVoice*> Resolve(std::string_view reference) const;
  HostedVoice& features() const { return *hosted_.back(); }

  // Everything hosted, the feature extractor last.
  const std::vector<std::unique_ptr<HostedVoice>>& hosted() const { return hosted_; }
  // Names of models, sorted.
  std::vector<std::string> models() const;

 private:
  std::vector<std::unique_ptr<HostedVoice>> hosted_;
  std::map<std::string, HostedVoice*, std::less<>> by_reference_;
};

}  // namespace ddsp::server
