// The voices that sessions can be opened on, by the names clients use. Thread-safe: what a name means may change at any
// time, for whole models at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
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

// What the names of one model mean.
struct ModelRoutes {
  std::map<int64_t, std::shared_ptr<HostedVoice>> serving;
  // Versions that are known and do not serve, and why, in words that follow "violin/3 ": "is being loaded".
  std::map<int64_t, std::string> absent;
  std::map<std::string, int64_t> aliases;

  bool operator==(const ModelRoutes&) const = default;
};

class Registry {
 public:
  // `features` serves sessions that need no voice. Model and version are unique among `voices`.
  Registry(std::vector<VoiceListing> voices, std::unique_ptr<VoiceEngine> features);

  // "violin" (the newest version that serves), "violin/3" or "violin@champion". Errors: MODEL_NOT_FOUND that names what
  // there is, MODEL_NOT_READY.
  absl::StatusOr<std::shared_ptr<HostedVoice>> Resolve(std::string_view reference) const;
  const std::shared_ptr<HostedVoice>& features() const { return features_; }

  // Replaces everything that is said of a model; no routes: the model is unknown.
  void SetRoutes(const std::string& model, ModelRoutes routes);

  // Everything that serves, the feature extractor last.
  std::vector<std::shared_ptr<HostedVoice>> hosted() const;
  // Names of models of which a version serves, sorted.
  std::vector<std::string> models() const;

 private:
  absl::Status NotFound(std::string_view reference) const;

  const std::shared_ptr<HostedVoice> features_;
  mutable Mutex mu_;
  std::map<std::string, ModelRoutes, std::less<>> models_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server
