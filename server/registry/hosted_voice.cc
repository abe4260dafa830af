#include "server/registry/hosted_voice.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ddsp::server {

HostedVoice::HostedVoice(std::string model, int64_t version, std::unique_ptr<VoiceEngine> engine)
    : model_(std::move(model)),
      version_(version),
      engine_(std::move(engine)),
      audio_(engine_->format(StreamInput::kAudio)),
      controls_(engine_->format(StreamInput::kControls)),
      bytes_per_slot_(engine_->bytes_per_slot()),
      slots_(engine_->slots()) {}

std::string HostedVoice::id() const { return version_ == 0 ? model_ : absl::StrCat(model_, "/", version_); }

std::optional<SlotLease> SlotLease::Take(HostedVoice& voice, std::function<void()> on_return) {
  const std::optional<int> slot = voice.slots().Take();
  if (!slot.has_value()) return std::nullopt;
  SlotLease lease;
  lease.voice_ = &voice;
  lease.slot_ = *slot;
  lease.on_return_ = std::move(on_return);
  if (voice.metrics != nullptr) voice.metrics->sessions_active->Increment();
  return lease;
}

SlotLease::SlotLease(SlotLease&& other) noexcept { *this = std::move(other); }

SlotLease& SlotLease::operator=(SlotLease&& other) noexcept {
  if (this == &other) return *this;
  Release();
  voice_ = std::exchange(other.voice_, nullptr);
  slot_ = other.slot_;
  on_return_ = std::exchange(other.on_return_, nullptr);
  return *this;
}

void SlotLease::Release() {
  if (voice_ == nullptr) return;
  HostedVoice* voice = std::exchange(voice_, nullptr);
  if (voice->metrics != nullptr) voice->metrics->sessions_active->Decrement();
  voice->slots().Return(slot_);
  if (const std::function<void()> on_return = std::exchange(on_return_, nullptr)) on_return();
}

}  // namespace ddsp::server
