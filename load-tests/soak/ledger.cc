#include "load-tests/soak/ledger.h"

#include "absl/strings/str_cat.h"
#include "client/cli/http_get.h"
#include "core/base/status_macros.h"

namespace ddsp::soak {
namespace {

// Sockets of scrapes, and files that the log or the repository has open for a moment.
constexpr double kFilesOfItsOwn = 4;

}  // namespace

Ledger LedgerOf(const client::Scrape& scrape) {
  return {.sessions_started = scrape.Sum("ddsp_sessions_started_total"),
          .sessions_ended = scrape.Sum("ddsp_sessions_ended_total"),
          .slots_in_use = scrape.Sum("ddsp_sessions_active"),
          .calls_started = scrape.Sum("grpc_server_call_started_total"),
          .calls_ended = scrape.Sum("grpc_server_call_duration_seconds_count"),
          .reserved_bytes = scrape.Sum("ddsp_memory_reserved_bytes"),
          .uploads = scrape.Sum("ddsp_blob_uploads"),
          .open_files = scrape.Sum("process_open_fds"),
          .lines_dropped = scrape.Sum("ddsp_log_lines_dropped_total")};
}

absl::StatusOr<Ledger> ReadLedger(const std::string& metrics) {
  ASSIGN_OR_RETURN(const std::string text, client::HttpGet(metrics, "/metrics", absl::Seconds(10)));
  ASSIGN_OR_RETURN(const client::Scrape scrape, client::Scrape::Parse(text));
  return LedgerOf(scrape);
}

std::vector<std::string> Ledger::Debts(const Ledger& before) const {
  std::vector<std::string> debts;
  const auto compare = [&](const char* what, double is, double should) {
    if (is != should) debts.push_back(absl::StrCat(what, ": ", is, " instead of ", should));
  };
  compare("sessions that ended", sessions_ended, sessions_started);
  compare("slots in use", slots_in_use, 0);
  compare("calls that ended", calls_ended, calls_started);
  compare("bytes reserved", reserved_bytes, before.reserved_bytes);
  compare("uploads under way", uploads, 0);
  if (open_files > before.open_files + kFilesOfItsOwn) compare("open files", open_files, before.open_files);
  return debts;
}

}  // namespace ddsp::soak
