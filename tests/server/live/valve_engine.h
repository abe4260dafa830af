// An engine that a test stops in the middle of a step.
#pragma once

#include <memory>
#include <utility>

#include "core/base/mutex.h"
#include "tests/server/support/fake_engine.h"

namespace ddsp::testing {

// While it is closed, nothing passes.
class Valve {
 public:
  void Open() { Set(true); }
  void Close() { Set(false); }
  void Pass() {
    const MutexLock lock(&mu_);
    ++waiting_;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(&mu_);
    --waiting_;
    ++passed_;
  }
  // Until somebody stands before it.
  void AwaitVisitor() {
    const MutexLock lock(&mu_);
    while (waiting_ == 0) changed_.Wait(&mu_);
  }
  // How often something has passed.
  int passed() const {
    const MutexLock lock(&mu_);
    return passed_;
  }

 private:
  void Set(bool open) {
    const MutexLock lock(&mu_);
    open_ = open;
    changed_.NotifyAll();
  }

  mutable Mutex mu_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mu_) = true;
  int passed_ ABSL_GUARDED_BY(mu_) = 0, waiting_ ABSL_GUARDED_BY(mu_) = 0;
};

class ValveEngine : public FakeEngine {
 public:
  ValveEngine(int slots, std::shared_ptr<Valve> valve) : FakeEngine(slots), valve_(std::move(valve)) {}
  absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override {
    valve_->Pass();
    return FakeEngine::Step(requests, workspace);
  }

 private:
  const std::shared_ptr<Valve> valve_;
};

}  // namespace ddsp::testing
