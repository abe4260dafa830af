// How many calls a server has. Thread-safe.
#pragma once

#include "core/base/mutex.h"

namespace ddsp::server {

class CallLedger {
 public:
  // A call, from when it is awaited until it is gone; live from Begin() on.
  class Entry {
   public:
    explicit Entry(CallLedger& ledger);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    void Begin() const;

   private:
    CallLedger& ledger_;
    mutable bool live_ = false;
  };

  int live() const;
  // Until there are neither calls nor any awaited.
  void WaitUntilEmpty();

 private:
  mutable Mutex mu_;
  CondVar emptied_;
  int calls_ ABSL_GUARDED_BY(mu_) = 0, live_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ddsp::server
