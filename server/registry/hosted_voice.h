// A voice that sessions can be opened on: an engine, its slots, and leases of them.
//
// It can be closed while sessions play: nobody new gets in, and when the last has gone its engine may be freed. What is
// left then costs nothing, and stays for as long as somebody refers to it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/mutex.h"
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

  // Null once it was freed. A slot is for the device worker, and while it has none of its tickets for who holds its
  // lease.
  VoiceEngine* engine() { return engine_.get(); }
  SlotTable& slots() { return slots_; }

  // From now on nobody gets in; `drained` runs when the last who is in has left, on the thread of that one, unless the
  // voice was opened again. Returns true, and `drained` does not run, when nobody is in.
  bool Close(std::function<void()> drained);
  void Open();
  bool closed() const;
  // Pins that are held.
  int pins() const;
  // The voice is closed and nobody is in.
  void FreeEngine() { engine_.reset(); }

  // What the engine plays; null for the feature extractor.
  std::shared_ptr<const Voice> voice;

  // Given by Hosting, before the first session.
  int engine_index = 0;
  ModelMetrics* metrics = nullptr;
  double load_seconds = 0;

 private:
  friend class VoicePin;
  bool Enter();
  void Leave();

  const std::string model_;
  const int64_t version_;
  std::unique_ptr<VoiceEngine> engine_;
  const StreamFormat audio_, controls_;
  const int64_t bytes_per_slot_;
  SlotTable slots_;

  mutable Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  int pins_ ABSL_GUARDED_BY(mu_) = 0;
  std::function<void()> drained_ ABSL_GUARDED_BY(mu_);
};

// Holds the engine of a voice in place. Move-only.
class VoicePin {
 public:
  // Nullopt: the voice is closed.
  static std::optional<VoicePin> Take(std::shared_ptr<HostedVoice> voice);
  VoicePin() = default;
  VoicePin(VoicePin&&) = default;
  VoicePin& operator=(VoicePin&& other) noexcept;
  ~VoicePin() { Release(); }

  HostedVoice& voice() const { return *voice_; }
  // Lets go of the engine; the rest of the voice stays while the pin is there.
  void Release();

 private:
  // Runs Leave() once.
  struct Leaver {
    void operator()(HostedVoice* voice) const { voice->Leave(); }
  };
  // In this order: the voice outlives its leaving.
  std::shared_ptr<HostedVoice> voice_;
  std::unique_ptr<HostedVoice, Leaver> inside_;
};

// A slot of a voice, held by one session; given back when destroyed. Move-only. What voice() gives stays as long as the
// lease is there, its engine until the slot is given back.
class SlotLease {
 public:
  SlotLease() = default;
  // Takes a slot of the pinned voice; nullopt when none is free. `on_return` runs after the slot was given back, while
  // the engine is still there.
  static std::optional<SlotLease> Take(VoicePin pin, std::function<void()> on_return);
  SlotLease(SlotLease&& other) noexcept;
  SlotLease& operator=(SlotLease&& other) noexcept;
  ~SlotLease() { Release(); }

  bool held() const { return held_; }
  HostedVoice& voice() const { return pin_.voice(); }
  int slot() const { return slot_; }
  void Release();

 private:
  VoicePin pin_;
  bool held_ = false;
  int slot_ = 0;
  std::function<void()> on_return_;
};

}  // namespace ddsp::server
