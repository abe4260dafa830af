#pragma once

#include <functional>

#include "server/scheduler/executor.h"

namespace ddsp::testing {

// Runs work where it is posted.
class InlineExecutor : public server::Executor {
 public:
  void Post(std::function<void()> work) override { work(); }
};

}  // namespace ddsp::testing
