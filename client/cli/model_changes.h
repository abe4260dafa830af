// What has changed between two looks at a server's models, one thing each. Knows no server.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ddsp/v1/models.pb.h"

namespace ddsp::client {

struct ModelChange {
  enum class Of { kVersion, kAlias, kDefault };
  Of of = Of::kVersion;
  std::string model;
  std::string alias;    // kAlias
  int64_t version = 0;  // kVersion: whose state it is; otherwise what the name means now, 0: nothing
  int64_t before = 0;   // what the name meant; 0: nothing, or nobody knew

  // Of kVersion: "READY", ..., "GONE" where the repository has it no more; empty `state_before`: nobody knew.
  std::string state, state_before;
  std::string reason;       // of UNAVAILABLE
  int64_t sessions = 0;     // that play on a version that is loaded
  double load_seconds = 0;  // of READY, after a load

  bool operator==(const ModelChange&) const = default;
};

// "violin/3 ready, loaded in 0.42 s", "violin/2 unloading, 3 sessions", "violin@champion is violin/3", "violin is
// violin/3".
std::string TextOf(const ModelChange& change);
// {"time": "2026-11-23T09:00:00.000Z", "model": "violin", "version": 3, "state": "READY", "before": "LOADING"}; names
// say
// {"alias": "champion", "version": 3, "before": 2}, and the bare name {"serving_version": 3, "before": 2}.
nlohmann::ordered_json ToJson(const ModelChange& change, absl::Time time);

class ModelChanges {
 public:
  // What is new of a model: versions first, then aliases, then the bare name. At first everything is.
  std::vector<ModelChange> Take(const v1::Model& model);
  // The same of all models that there are: others are gone.
  std::vector<ModelChange> TakeAll(const std::vector<v1::Model>& models);

 private:
  struct Known {
    std::map<int64_t, std::pair<std::string, std::string>> versions;  // state and reason
    std::map<std::string, int64_t> aliases;
    int64_t serving = 0;
  };
  std::map<std::string, Known> models_;
};

}  // namespace ddsp::client
