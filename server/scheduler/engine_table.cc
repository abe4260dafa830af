#include "server/scheduler/engine_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ddsp::server {

absl::StatusOr<int> EngineTable::Add(VoiceEngine& engine, ModelMetrics& metrics) {
  const StreamFormat format = engine.format(StreamInput::kAudio);
  DeviceEngine added{.engine = &engine,
                     .metrics = &metrics,
                     .hop = absl::Seconds(1) * format.hop_size / format.sample_rate,
                     .workspaces = {}};
  for (int worker = 0; worker < workers_; ++worker) added.workspaces.push_back(engine.MakeWorkspace());
  const MutexLock lock(&mu_);
  const auto free =
      std::find_if(engines_.begin(), engines_.end(), [](const DeviceEngine& entry) { return entry.engine == nullptr; });
  if (free == engines_.end()) {
    return absl::ResourceExhaustedError(absl::StrCat("the device steps ", engines_.size(), " engines already"));
  }
  *free = std::move(added);
  return static_cast<int>(free - engines_.begin());
}

void EngineTable::Remove(int number) {
  const MutexLock lock(&mu_);
  engines_[number] = DeviceEngine();
}

}  // namespace ddsp::server
