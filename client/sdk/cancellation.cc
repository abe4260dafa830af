#include "client/sdk/cancellation.h"

#include <grpcpp/client_context.h>

#include "absl/time/clock.h"

namespace ddsp::client {

void Cancellation::Cancel() {
  const MutexLock lock(&mu_);
  cancelled_ = true;
  for (grpc::ClientContext* call : calls_) call->TryCancel();
  changed_.NotifyAll();
}

bool Cancellation::cancelled() const {
  const MutexLock lock(&mu_);
  return cancelled_;
}

absl::Status Cancellation::status() const {
  return cancelled() ? absl::CancelledError("cancelled by the caller") : absl::OkStatus();
}

void Cancellation::SleepFor(absl::Duration duration) {
  const absl::Time end = absl::Now() + duration;
  const MutexLock lock(&mu_);
  while (!cancelled_) {
    const absl::Duration left = end - absl::Now();
    if (left <= absl::ZeroDuration()) return;
    changed_.WaitFor(&mu_, absl::ToChronoNanoseconds(left));
  }
}

Cancellation::Call::Call(Cancellation* cancellation, grpc::ClientContext* context)
    : cancellation_(cancellation), context_(context) {
  if (cancellation_ == nullptr) return;
  const MutexLock lock(&cancellation_->mu_);
  if (cancellation_->cancelled_) context_->TryCancel();
  cancellation_->calls_.insert(context_);
}

Cancellation::Call::~Call() {
  if (cancellation_ == nullptr) return;
  const MutexLock lock(&cancellation_->mu_);
  cancellation_->calls_.erase(context_);
}

}  // namespace ddsp::client
