// A ddsp-server as a child process, and what the system says about it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::loadtest {

// What /proc tells of a process.
struct ProcessUsage {
  int64_t resident_bytes = 0;
  double cpu_seconds = 0;  // user and system, since its start
};
absl::StatusOr<ProcessUsage> UsageOf(pid_t pid);

class ServerProcess {
 public:
  // Starts `program` on ports of its choice and returns when it serves. What it writes goes to `log_file`, or, where
  // that is empty, nowhere. Errors: UNAVAILABLE with what it wrote.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(const std::string& program,
                                                              const std::vector<std::string>& flags,
                                                              const std::string& log_file = "");
  // Stops it.
  ~ServerProcess();

  // HOST:PORT each.
  const std::string& address() const { return address_; }
  const std::string& metrics_address() const { return metrics_address_; }
  const std::string& admin_address() const { return admin_address_; }
  pid_t pid() const { return pid_; }

  // Whether it has not ended by itself.
  bool Alive();
  // SIGTERM, a minute of patience, SIGKILL. Returns its exit code, or -N where signal N ended it.
  int Stop();

 private:
  ServerProcess(pid_t pid, int log) : pid_(pid), log_(log) {}
  absl::Status AwaitPorts(const std::string& log_file);
  void KeepLog(std::string said, const std::string& log_file);

  const pid_t pid_;
  const int log_;  // the read end of its stderr
  std::string address_, metrics_address_, admin_address_;
  std::optional<int> wait_status_;  // once it has ended
  std::thread log_keeper_;
};

}  // namespace ddsp::loadtest
