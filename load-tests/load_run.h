// Many live clients against one server, and what it cost.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/sdk/server_address.h"
#include "load-tests/latecomers.h"
#include "load-tests/paced_stream.h"

namespace ddsp::loadtest {

struct LoadOptions {
  client::ServerAddress server;
  std::optional<pid_t> server_pid;  // where known: CPU and memory are measured
  int streams = 32;
  PacedStreamOptions stream;  // seeds rise by one from stream to stream
  int connections = 0;        // that streams share in turn; 0: each has its own
  int troublemakers = 0;      // beside the streams, and not counted among them
  int latecomers = 0;         // who call again and again though there is no room
  double deadline_ms = 40;    // a block that comes later is an underrun
  double patience_s = 10;     // for which whoever is refused comes again
  uint64_t jitter_seed = 1;   // of the instants at which streams start
  std::optional<int64_t>
      idle_bytes;  // the server's resident memory without streams; absent: what it is before they come
};

// Blocks of one second of the streams.
struct LoadSecond {
  double p50_ms = 0, p99_ms = 0;
  int64_t underruns = 0;
};

struct LoadResult {
  int streams = 0;
  int refused = 0;    // of them, for lack of room
  int sent_away = 0;  // of them, later, by a server that had become too slow
  int failed_streams = 0;
  std::string first_error;
  int64_t blocks = 0, underruns = 0, lost_samples = 0, stalls = 0;
  double p50_ms = 0, p95_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;
  std::vector<LoadSecond> seconds;            // as they were played
  Refusals refusals;                          // of the latecomers
  double server_cores = 0, client_cores = 0;  // mean CPU in use
  int64_t server_bytes = 0;                   // the server's resident memory with all streams alive
  int64_t bytes_per_stream = 0;               // its growth since before they came, shared by all streams

  // Everybody served, every block in time but one in a hundred, and nothing lost.
  bool Passed(double deadline_ms) const {
    return refused == 0 && sent_away == 0 && failed_streams == 0 && lost_samples == 0 && blocks > 0 &&
           p99_ms <= deadline_ms;
  }
};

// Recordings are mono at stream.sample_rate; streams take turns with them. Errors: a server that does not answer at
// all, or that has no room for any stream.
absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, const std::vector<std::vector<float>>& recordings);

// One stream with a second of audio, as fast as the server lets it: what the first use costs is not counted against the
// streams that follow. Returns the time from `begin` to its first block.
absl::StatusOr<double> FirstAudioSeconds(const LoadOptions& options, const std::vector<float>& recording,
                                         std::chrono::steady_clock::time_point begin);

}  // namespace ddsp::loadtest
