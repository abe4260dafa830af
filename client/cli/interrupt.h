// Ctrl-C ends what the program waits for, and the program by itself.
#pragma once

#include <thread>

#include "client/sdk/cancellation.h"

namespace ddsp::client {

// While it lives SIGINT and SIGTERM cancel; a second one ends the program as it does without this. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Cancellation& cancellation() { return cancellation_; }

 private:
  Cancellation cancellation_;
  int pipe_[2];
  std::thread thread_;  // a handler may not lock what a cancellation locks
};

}  // namespace ddsp::client
