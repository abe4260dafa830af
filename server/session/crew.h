// A few named threads that run what must not hold up the device: resampling, encoding, writing.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "server/scheduler/executor.h"

namespace ddsp::server {

class Crew : public Executor {
 public:
  // `threads` >= 1, called `name`-0, `name`-1, ...: 15 characters at most.
  explicit Crew(int threads, const std::string& name = "ddsp-crew");
  // Waits for everything that was posted.
  ~Crew() override;

  void Post(std::function<void()> work) override;
  int threads() const override { return static_cast<int>(threads_.size()); }

 private:
  void Run();

  Mutex mu_;
  CondVar changed_;
  std::deque<std::function<void()>> work_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // last: they start when the rest is there
};

}  // namespace ddsp::server
