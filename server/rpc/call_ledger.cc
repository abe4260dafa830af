#include "server/rpc/call_ledger.h"

namespace ddsp::server {

CallLedger::Entry::Entry(CallLedger& ledger) : ledger_(ledger) {
  MutexLock lock(&ledger_.mu_);
  ++ledger_.calls_;
}

CallLedger::Entry::~Entry() {
  MutexLock lock(&ledger_.mu_);
  if (live_) --ledger_.live_;
  if (--ledger_.calls_ == 0) ledger_.emptied_.NotifyAll();
}

void CallLedger::Entry::Begin() const {
  MutexLock lock(&ledger_.mu_);
  live_ = true;
  ++ledger_.live_;
}

int CallLedger::live() const {
  MutexLock lock(&mu_);
  return live_;
}

void CallLedger::WaitUntilEmpty() {
  MutexLock lock(&mu_);
  while (calls_ > 0) emptied_.Wait(&mu_);
}

}  // namespace ddsp::server
