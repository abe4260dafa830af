// A real server with a small voice in this process, on a port of its choice.
#pragma once

#include <memory>
#include <string>

#include "server/server.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {

class LiveServer {
 public:
  // Serves "test-voice" out of a repository of its own.
  explicit LiveServer(int max_sessions = 64);
  ~LiveServer();

  std::string address() const;
  const std::string& repository() const { return repository_.path(); }

 private:
  TempDir repository_;
  std::unique_ptr<server::Server> server_;
};

}  // namespace ddsp::testing
