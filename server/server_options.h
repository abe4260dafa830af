#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "server/jobs/desk/desk_options.h"
#include "server/logs/log.h"
#include "server/registry/curator.h"
#include "server/security/security_options.h"
#include "server/session/session_limits.h"

namespace ddsp::server {

// What an operator decides. Addresses are host:port; port 0 lets the system choose.
struct ServerOptions {
  std::string model_repository = "models";  // a directory, or s3://bucket/prefix
  // Where a repository of an object store is mirrored; empty: below the system's folder for temporary files.
  std::string model_cache;
  ControlMode model_control_mode = ControlMode::kNone;
  std::vector<std::string> load_models;  // with kExplicit: "violin", "violin/3", or "*"
  VersionPolicies version_policies;
  absl::Duration repository_poll = absl::Seconds(15);  // with kPoll
  // Start only where each model of the repository has a version that serves; false: with whatever does.
  bool exit_on_error = true;
  // Told, line by line, what voices come and go.
  std::function<void(const std::string&)> say = [](const std::string&) {};
  std::string listen = "0.0.0.0:8001";
  std::string metrics_listen = "0.0.0.0:8002";  // empty: no metrics
  std::string admin_listen = "127.0.0.1:8004";  // empty: no admin port; reflection lives here
  // Health alone, in plain text and for everybody: for probes, which know neither TLS nor tokens. Empty: none.
  std::string health_listen;
  // TLS of the public and the admin port, and who may call.
  SecurityOptions security;

  // Sessions at once. Each model gets as many slots, and memory for them.
  int max_sessions = 256;
  // Fewer slots for some models.
  std::map<std::string, int> max_sessions_per_model;
  // What steps the models: "cpu" or "cuda:N" (core/cuda/engine_device.h).
  std::string device = "cpu";
  // Threads that step models; with a GPU, that extract features for it. 0: one for each core, but for every fourth.
  int threads = 0;
  // Threads that decode, resample, encode and write. 0: one for each core without a device thread, at least one.
  int crew_threads = 0;
  // Streams of one step of a device thread; a GPU steps all that are ready.
  // Beyond 64 streams a step is no cheaper for each, and none of them hears anything before it ends.
  int max_batch = 64;
  // Longest tick: how long a ready hop waits for company on a loaded device, at most a quarter of a hop.
  absl::Duration max_batch_wait = absl::Milliseconds(5);
  // Share of the device threads' time that live sessions may be promised; 0: sessions are refused for lack of slots
  // only.
  double max_device_load = 0.85;
  // After so long with late live streams, on a device or cores that are full, those that came last are sent away; 0, or
  // no bound: never.
  absl::Duration shed_after = absl::Seconds(5);
  // Threads for graphs and for features of whole recordings, and calls that may wait for one.
  int work_threads = 1;
  int max_waiting_calls = 16;
  // Memory of the gRPC library.
  int64_t grpc_memory_bytes = int64_t{1} << 30;
  // Calls at once of one connection; 0: room for all sessions.
  int max_streams_per_connection = 0;
  // After so long a client is told to make a new connection, which finds other replicas; calls that it has go on. 0:
  // never.
  absl::Duration max_connection_age = absl::ZeroDuration();
  // After so long without a word a client is asked whether it lives, and so long for its answer; then what it had is
  // free.
  absl::Duration keepalive_time = absl::Seconds(30), keepalive_timeout = absl::Seconds(10);

  // After a signal: time in which new sessions are still taken, while load balancers learn of it.
  absl::Duration drain_delay = absl::ZeroDuration();
  // After that: time for live sessions to end by themselves; those that asked for snapshots are sent away at once.
  absl::Duration session_drain_timeout = absl::Seconds(30);
  // After that: time for what is left to take its status to the client.
  absl::Duration exit_timeout = absl::Seconds(2);

  // Keys that sign snapshots of sessions, one a line, the same for all replicas; empty: one of this process alone, with
  // which no other goes on from them.
  std::string session_key_file;
  // Older snapshots are not gone on from.
  absl::Duration snapshot_lifetime = absl::Seconds(60);

  SessionLimits limits;
  JobDeskOptions jobs;

  // What may be kept for clients at once: buffers of sessions, bodies of calls. 0: no bound.
  int64_t memory_budget_bytes = int64_t{2} << 30;
  // How the program makes its log, and the log; null: nothing is said.
  Log::Options log_options;
  std::shared_ptr<Log> log;
  // HOST:PORT of a collector of traces (OTLP over gRPC), https:// before it for TLS; empty: nothing is traced.
  std::string otlp_endpoint;
  // PEM file of who signs its certificate; empty: whom the system trusts.
  std::string otlp_ca_file;
  // Share of calls that are traced where the caller does not say.
  double trace_ratio = 0.001;
  // Also gives counters under the names that Triton's have.
  bool triton_metrics = false;

  // `threads`, resolved.
  int model_threads() const {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    return threads > 0 ? threads : std::max(1, cores - cores / 4);
  }
};

}  // namespace ddsp::server
