// What a server's metrics say it owes: everything that was begun has to have ended.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/scrape.h"

namespace ddsp::soak {

struct Ledger {
  double sessions_started = 0, sessions_ended = 0;
  double slots_in_use = 0;
  double calls_started = 0, calls_ended = 0;
  double reserved_bytes = 0;  // of the memory budget
  double uploads = 0;         // under way
  double open_files = 0;
  double lines_dropped = 0;  // of its log

  // Empty when nothing is owed: what is not balanced, in words. `before`: of the idle server.
  std::vector<std::string> Debts(const Ledger& before) const;
};

Ledger LedgerOf(const client::Scrape& scrape);
// `metrics` is HOST:PORT.
absl::StatusOr<Ledger> ReadLedger(const std::string& metrics);

}  // namespace ddsp::soak
