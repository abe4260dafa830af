// Somebody changed his mind: ends calls that are under way and pauses between them.
#pragma once

#include <set>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace grpc {
class ClientContext;
}

namespace ddsp::client {

// Any number of threads may call. Not for signal handlers, which may not lock: let a thread wait for the signal.
class Cancellation {
 public:
  // Once cancelled it stays so.
  void Cancel();
  bool cancelled() const;
  // CANCELLED or OK.
  absl::Status status() const;

  // Returns after `duration`, or earlier when cancelled.
  void SleepFor(absl::Duration duration);

  // A call that ends when `cancellation`, which may be null, does; at once where it has.
  class Call {
   public:
    Call(Cancellation* cancellation, grpc::ClientContext* context);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Cancellation* const cancellation_;
    grpc::ClientContext* const context_;
  };

 private:
  mutable Mutex mu_;
  CondVar changed_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::client
