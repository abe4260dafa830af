// An hour (or less) of a real server under everything that clients do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "load-tests/soak/ledger.h"
#include "load-tests/soak/memory_watch.h"
#include "load-tests/soak/mix.h"
#include "load-tests/soak/scenario.h"

namespace ddsp::soak {

struct SoakOptions {
  std::string server_program, own_program;
  std::vector<std::string> server_flags;  // besides those that the scenarios count on
  std::string repository = "models";      // of voices; copied, with an understudy added
  std::string server_log;                 // a file; empty: none
  std::vector<float> recording;           // mono, that clients play
  double seconds = 3600;
  int streams = 16;  // of the audience
  int clients = 24;  // of the mix
  uint64_t seed = 1;
  double tempo = 1;  // of what takes clients as long as they like
  double longest_pause = 1;
  double most_growth = 0.02;  // of memory
  // Below this length growth is told, and not judged: caches and pools still fill.
  double judged_seconds = 600;
  Scenarios scenarios = AllScenarios();
  // Asked once a second: true ends the soak early, and what was seen so far is judged.
  std::function<bool()> stop = [] { return false; };
  // Told, line by line, how it goes; on several threads.
  std::function<void(const std::string&)> say = [](const std::string&) {};
};

// A minute of the run.
struct SoakMinute {
  double seconds = 0;  // since the begin, at its end
  MemorySample memory{};
  double sessions = 0;                 // that hold a slot
  int64_t visits = 0, unexpected = 0;  // since the begin
  double p99_ms = 0;                   // of the streams of the audience that ended in it
};

struct SoakReport {
  double seconds = 0;
  std::vector<SoakMinute> minutes;
  std::vector<MemorySample> memory;  // each second
  std::optional<Flatness> flatness;
  std::map<std::string, Tally> tallies;
  Ledger ledger;
  int64_t streams = 0, blocks = 0, lost_samples = 0;
  double p50_ms = 0, p99_ms = 0, max_ms = 0;
  int exit_code = 0;
  // What went wrong, in words; empty: the soak has passed.
  std::vector<std::string> failures;

  bool passed() const { return failures.empty(); }
  int64_t visits() const;
  int64_t unexpected() const;
};

// Errors: a server that does not start, a repository that cannot be copied.
absl::StatusOr<SoakReport> RunSoak(const SoakOptions& options);

}  // namespace ddsp::soak
