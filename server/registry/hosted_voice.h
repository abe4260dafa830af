// A voice that sessions can be opened on: an engine, its slots, and leases of them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/models/voice.h"
#include "core/streaming/voice_engine.h"
#include "server/metrics/server_metrics.h"
#include "server/scheduler/slot_table.h"

namespace ddsp::server {

class HostedVoice {
 public:
  // `model` also labels the metrics. Version 0: has none.
  HostedVoice(std::string model, int64_t version, std::unique_ptr<VoiceEngine> engine);

  const std::string& model() const { return model_; }
  int64_t version() const { return version_; }
  std::string id() const;  // "violin/1"
  const StreamFormat& format(StreamInput input) const { return input == StreamInput::kAudio ? audio_ : controls_; }
  int64_t bytes_per_slot() const { return bytes_per_slot_; }

  // For the device worker alone.
  VoiceEngine* engine() { return engine_.get(); }
  SlotTable& slots() { return slots_; }

  // What the engine plays; null for the feature extractor.
  std::shared_ptr<const Voice> voice;

  // Given by who hands voices to the device worker.
  int engine_index = 0;
  ModelMetrics* metrics = nullptr;
  double load_seconds = 0;

 private:
  const std::string model_;
  const int64_t version_;
  const std::unique_ptr<VoiceEngine> engine_;
  const StreamFormat audio_, controls_;
  const int64_t bytes_per_slot_;
  SlotTable slots_;
};

// A slot of a voice, held by one session; given back when destroyed. Move-only. The voice outlives it.
class SlotLease {
 public:
  SlotLease() = default;
  // Takes a slot of `voice`; nullopt when none is free. `on_return` runs after the slot was given back.
  static std::optional<SlotLease> Take(HostedVoice& voice, std::function<void()> on_return);
  SlotLease(SlotLease&& other) noexcept;
  SlotLease& operator=(SlotLease&& other) noexcept;
  ~SlotLease() { Release(); }

  bool held() const { return voice_ != nullptr; }
  HostedVoice& voice() const { return *voice_; }
  int slot() const { return slot_; }
  void Release();

 private:
  HostedVoice* voice_ = nullptr;
  int slot_ = 0;
  std::function<void()> on_return_;
};

}  // namespace ddsp::server
