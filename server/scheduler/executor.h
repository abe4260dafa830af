#pragma once

#include <functional>

namespace ddsp::server {

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `work` soon, in any thread, possibly this one. Work must not block.
  virtual void Post(std::function<void()> work) = 0;
  // Pieces of work that run at a time.
  virtual int threads() const { return 1; }
};

}  // namespace ddsp::server
