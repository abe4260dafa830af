// A model as operators see it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/models/voice.h"
#include "core/models/voice_name.h"
#include "server/registry/model_book.h"

namespace ddsp::server {

struct VersionStatus {
  int64_t version = 0;
  VersionState state = VersionState::kUnloaded;
  std::string reason;  // of kUnavailable
  bool pinned = false;
  // Of what is loaded; null and zero otherwise.
  std::shared_ptr<const Voice> voice;
  int sessions = 0, slots = 0;
  int64_t bytes_per_slot = 0;
  double load_seconds = 0;

  bool operator==(const VersionStatus&) const = default;
};

// What models and aliases may be called.
inline bool IsModelName(std::string_view name) { return IsVoiceName(name); }

struct ModelStatus {
  std::string name;
  std::vector<VersionStatus> versions;  // rising
  std::map<std::string, int64_t> aliases;
  int64_t serving = 0;   // what the bare name means; 0: nothing
  int64_t revision = 0;  // rises with every change, over all models

  bool operator==(const ModelStatus&) const = default;
};

}  // namespace ddsp::server
