// A ddsp-server that a scenario may end in any way, and start again at the same address.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/faults/program.h"

namespace ddsp::testing {

class Replica {
 public:
  struct Settings {
    std::string program;             // ddsp-server
    std::vector<std::string> flags;  // besides its addresses
    std::string log;                 // file; a number is added for each start
  };
  explicit Replica(Settings settings) : settings_(std::move(settings)) {}

  // Returns when it serves. Errors: UNAVAILABLE with what it said.
  absl::Status Start();
  Program& program() { return *program_; }
  int port() const { return port_; }
  std::string address() const;
  // The end of what it said.
  std::string last_words() const;

 private:
  const Settings settings_;
  int port_ = 0, starts_ = 0;
  std::unique_ptr<Program> program_;
};

}  // namespace ddsp::testing
