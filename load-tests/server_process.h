// A ddsp-server as a child process, and what the system says about it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
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
  // Starts `program` on ports of its choice and returns when it serves. Errors: UNAVAILABLE with what it wrote.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(const std::string& program,
                                                              const std::vector<std::string>& flags);
  // SIGTERM, then waits.
  ~ServerProcess();

  const std::string& address() const { return address_; }  // host:port
  pid_t pid() const { return pid_; }

 private:
  ServerProcess(pid_t pid, int log) : pid_(pid), log_(log) {}
  absl::Status AwaitPort();

  const pid_t pid_;
  const int log_;  // the read end of its stderr
  std::string address_;
};

}  // namespace ddsp::loadtest
