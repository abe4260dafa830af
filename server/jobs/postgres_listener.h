#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "server/jobs/change_hub.h"

namespace ddsp::server {

// The channel on which stores that share a database tell each other which job has changed.
inline constexpr char kPostgresChannel[] = "ddsp_jobs";

// A thread with a connection of its own that publishes what it hears. After every connection, the first and those
// after a loss, it publishes the empty id: changes may have been missed.
class PostgresListener {
 public:
  PostgresListener(std::string connection, absl::Duration poll, ChangeHub* hub);
  ~PostgresListener();

 private:
  void Run();
  // Until it is to end; throws when the connection breaks.
  void Listen();

  const std::string connection_;
  const absl::Duration poll_;
  ChangeHub* const hub_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace ddsp::server
