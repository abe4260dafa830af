// `ddsp train --workers N`: other processes, here or on other machines, that train with this one.
#pragma once

#include <sys/types.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/training/distributed/worker_group.h"

namespace ddsp::client {

struct WorkerFlags {
  int workers = 1;
  int rank = 0;
  std::string rendezvous;  // HOST:PORT; empty: the others are started here
  double timeout_s = 300;
};

// Declares --workers, --rank, --rendezvous and --worker-timeout.
void AddWorkerOptions(CLI::App& app, WorkerFlags* flags);

// The other workers of this machine, where this process starts them. When it is destroyed they end, if they have not.
class LocalWorkers {
 public:
  LocalWorkers() = default;
  LocalWorkers(const LocalWorkers&) = delete;
  LocalWorkers& operator=(const LocalWorkers&) = delete;
  ~LocalWorkers();

  // Starts ranks 1 .. workers - 1: this very command, with the rank and the rendezvous added. Their output is thrown
  // away, their errors are shown.
  absl::Status Start(int workers, int port, const std::vector<std::string>& more_arguments);
  // Until all have ended, which they do when their work is done. UNAVAILABLE, if one failed.
  absl::Status Wait();

 private:
  std::vector<pid_t> processes_;
};

// How this process joins the others; `locals` outlives it. Errors: INVALID_ARGUMENT that names the flag.
//   more_arguments  those that workers started here get besides the command's own
absl::StatusOr<training::JoinOptions> JoinOptionsOf(const WorkerFlags& flags,
                                                    const std::vector<std::string>& more_arguments,
                                                    LocalWorkers* locals);

}  // namespace ddsp::client
