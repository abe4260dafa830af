// A PostgreSQL server of a test's own: Debian's package, a temporary directory, a Unix socket, no port.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddsp::server {

class PostgresServer {
 public:
  // The package's programs, by their folder; empty where it is not installed.
  static std::string FindPrograms();

  // kNever: what is committed survives the end of its processes, not that of the machine; for tests, of which many
  // share a disk.
  enum class Flush { kAtCommit, kNever };

  // Makes a cluster and starts it, as another user when this one is root, whom PostgreSQL refuses.
  static absl::StatusOr<std::unique_ptr<PostgresServer>> Start(Flush flush);
  ~PostgresServer();

  // Makes a new, empty database and returns what to connect to it with.
  std::string NewDatabase();
  // Kills every process of the server in the middle of its work (SIGQUIT: no shutdown), and starts it again.
  absl::Status Restart();

 private:
  PostgresServer(std::string programs, std::string folder, Flush flush);
  absl::Status Launch();
  void Stop(int signal);

  const std::string programs_;
  const std::string folder_;
  const Flush flush_;
  pid_t pid_ = -1;
  std::thread log_reader_;
  int databases_ = 0;
};

}  // namespace ddsp::server
