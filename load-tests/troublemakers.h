// Clients as nobody wants them, beside the ones that are measured.
//
// In turn: one that stops in the middle and then sends everything at once; one that sends a second at a time; one that
// sends single samples; one that disconnects in the middle of a block and comes back; one that never reads.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/sdk/server_address.h"
#include "load-tests/live_call.h"

namespace ddsp::loadtest {

class Troublemaker {
 public:
  virtual ~Troublemaker() = default;
  // `seconds` have passed since the beginning. Called about a thousand times a second.
  virtual void Act(double seconds) = 0;
};

class Troublemakers {
 public:
  // `loop` outlives them.
  Troublemakers(ClientLoop& loop, const client::ServerAddress& server, const std::string& model, int count);

  void Act(std::chrono::steady_clock::time_point now);

 private:
  std::vector<std::unique_ptr<Troublemaker>> troublemakers_;
  std::optional<std::chrono::steady_clock::time_point> begin_;
};

}  // namespace ddsp::loadtest
