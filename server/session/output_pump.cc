#include "server/session/output_pump.h"

#include <algorithm>
#include <utility>

namespace ddsp::server {

OutputPump::OutputPump(SessionOutlet* outlet, Observer* observer, const Clock* clock, int64_t backlog_bytes)
    : observer_(observer), clock_(*clock), outlet_(outlet), queue_(backlog_bytes), last_progress_(clock->Now()) {}

void OutputPump::SetCredit(int64_t samples) {
  MutexLock lock(&mu_);
  queue_.SetCredit(samples);
}

void OutputPump::Grant(int64_t samples) {
  {
    MutexLock lock(&mu_);
    queue_.Grant(samples);
    NoteCredit();
  }
  Pump();
}

void OutputPump::PushUrgent(v1::StreamSessionResponse message) {
  {
    MutexLock lock(&mu_);
    if (final_status_.has_value()) return;
    if (queue_.empty()) last_progress_ = clock_.Now();
    queue_.PushUrgent(std::move(message));
  }
  Pump();
}

void OutputPump::PushMedia(std::vector<OutputItem>* items) {
  {
    MutexLock lock(&mu_);
    if (!final_status_.has_value()) {
      if (queue_.empty()) last_progress_ = clock_.Now();
      for (OutputItem& item : *items) queue_.PushMedia(std::move(item));
      NoteCredit();
    }
  }
  items->clear();
  Pump();
}

void OutputPump::Close(const absl::Status& status, Backlog backlog) {
  {
    MutexLock lock(&mu_);
    if (final_status_.has_value()) return;
    final_status_ = status;
    if (backlog == Backlog::kDrop) queue_.Clear();
    // Who has given no credit is not going to: the status must not wait for it.
    if (!status.ok()) queue_.SetCredit(0);
    NoteCredit();
  }
  Pump();
}

void OutputPump::Abandon(const absl::Status& status) {
  {
    MutexLock lock(&mu_);
    if (!final_status_.has_value() || final_status_->ok()) final_status_ = status;
    queue_.Clear();
  }
  Pump();
}

void OutputPump::Written(bool ok) {
  {
    MutexLock lock(&mu_);
    write_under_way_ = false;
    last_progress_ = clock_.Now();
    if (!ok) queue_.Clear();
  }
  Pump();
  if (!full()) observer_->RoomAgain();
}

void OutputPump::Detach() {
  MutexLock lock(&mu_);
  outlet_ = nullptr;
}

bool OutputPump::full() const {
  MutexLock lock(&mu_);
  return queue_.full();
}

std::optional<absl::Time> OutputPump::stalled_since() const {
  MutexLock lock(&mu_);
  if (!write_under_way_ && queue_.empty()) return std::nullopt;
  return std::min(last_progress_, short_of_credit_since_.value_or(last_progress_));
}

void OutputPump::NoteCredit() {
  if (!queue_.short_of_credit()) {
    short_of_credit_since_.reset();
  } else if (!short_of_credit_since_.has_value()) {
    short_of_credit_since_ = clock_.Now();
  }
}

void OutputPump::GiveUp() {
  SessionOutlet* outlet = nullptr;
  {
    MutexLock lock(&mu_);
    if (outlet_ == nullptr || !write_under_way_ || giving_up_) return;
    outlet = outlet_;
    giving_up_ = true;  // holds Finish() back, so the outlet stays
  }
  outlet->GiveUp();
  {
    MutexLock lock(&mu_);
    giving_up_ = false;
  }
  Pump();
}

OutputPump::Action OutputPump::Decide(OutputItem* item, bool* more, SessionOutlet** outlet, absl::Status* status) {
  MutexLock lock(&mu_);
  *outlet = outlet_;
  if (outlet_ == nullptr || write_under_way_ || giving_up_ || finish_called_) return Action::kNone;
  if (std::optional<OutputItem> next = queue_.Pop()) {
    *item = *std::move(next);
    *more = queue_.sendable();
    NoteCredit();
    write_under_way_ = true;
    return Action::kWrite;
  }
  if (!final_status_.has_value() || !queue_.empty()) return Action::kNone;
  finish_called_ = true;
  *status = *final_status_;
  return Action::kFinish;
}

void OutputPump::Pump() {
  OutputItem item;
  bool more = false;
  SessionOutlet* outlet = nullptr;
  absl::Status status;
  switch (Decide(&item, &more, &outlet, &status)) {
    case Action::kWrite:
      observer_->Writing(item);
      outlet->Write(std::move(item.message), more);
      break;
    case Action::kFinish:
      outlet->Finish(status);
      break;
    case Action::kNone:
      break;
  }
}

}  // namespace ddsp::server
