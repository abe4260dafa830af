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

bool HostedVoice::Close(std::function<void()> drained) {
  const MutexLock lock(&mu_);
  closed_ = true;
  if (pins_ == 0) return true;
  drained_ = std::move(drained);
  return false;
}

void HostedVoice::Open() {
  const MutexLock lock(&mu_);
  closed_ = false;
  drained_ = nullptr;
}

bool HostedVoice::closed() const {
  const MutexLock lock(&mu_);
  return closed_;
}

int HostedVoice::pins() const {
  const MutexLock lock(&mu_);
  return pins_;
}

bool HostedVoice::Enter() {
  const MutexLock lock(&mu_);
  if (closed_) return false;
  ++pins_;
  return true;
}

void HostedVoice::Leave() {
  std::function<void()> drained;
  {
    const MutexLock lock(&mu_);
    if (--pins_ == 0) drained = std::exchange(drained_, nullptr);
  }
  if (drained) drained();
}

std::optional<VoicePin> VoicePin::Take(std::shared_ptr<HostedVoice> voice) {
  if (!voice->Enter()) return std::nullopt;
  VoicePin pin;
  pin.voice_ = std::move(voice);
  pin.inside_.reset(pin.voice_.get());
  return pin;
}

VoicePin& VoicePin::operator=(VoicePin&& other) noexcept {
  if (this == &other) return *this;
  Release();
  voice_ = std::move(other.voice_);
  inside_ = std::move(other.inside_);
  return *this;
}

void VoicePin::Release() { inside_.reset(); }

std::optional<SlotLease> SlotLease::Take(VoicePin pin, std::function<void()> on_return) {
  const std::optional<int> slot = pin.voice().slots().Take();
  if (!slot.has_value()) return std::nullopt;
  SlotLease lease;
  lease.pin_ = std::move(pin);
  lease.held_ = true;
  lease.slot_ = *slot;
  lease.on_return_ = std::move(on_return);
  if (lease.voice().metrics != nullptr) lease.voice().metrics->sessions_active->Increment();
  return lease;
}

SlotLease::SlotLease(SlotLease&& other) noexcept { *this = std::move(other); }

SlotLease& SlotLease::operator=(SlotLease&& other) noexcept {
  if (this == &other) return *this;
  Release();
  pin_ = std::move(other.pin_);
  held_ = std::exchange(other.held_, false);
  slot_ = other.slot_;
  on_return_ = std::exchange(other.on_return_, nullptr);
  return *this;
}

void SlotLease::Release() {
  if (!std::exchange(held_, false)) return;
  if (voice().metrics != nullptr) voice().metrics->sessions_active->Decrement();
  voice().slots().Return(slot_);
  if (const std::function<void()> on_return = std::exchange(on_return_, nullptr)) on_return();
  pin_.Release();
}

}  // namespace ddsp::server
