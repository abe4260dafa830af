#include "server/scheduler/engine_table.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "server/scheduler/measure_cost.h"
#include "tests/server/support/fake_engine.h"

namespace ddsp::server {
namespace {

using ddsp::testing::FakeEngine;

class EngineTableTest : public ::testing::Test {
 protected:
  int Add() { return table_.Add(engine_, metrics_.ForModel("violin")).value_or(-1); }

  ServerMetrics metrics_;
  FakeEngine engine_{4};
  EngineTable table_{/*workers=*/3, /*most=*/2};
};

TEST_F(EngineTableTest, GivesTheLowestFreeNumber) {
  EXPECT_EQ(Add(), 0);
  EXPECT_EQ(Add(), 1);
  table_.Remove(0);
  EXPECT_EQ(Add(), 0);
}

TEST_F(EngineTableTest, IsBounded) {
  Add();
  Add();
  EXPECT_EQ(table_.Add(engine_, metrics_.ForModel("violin")).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(EngineTableTest, EveryWorkerHasAWorkspaceOfItsOwn) {
  const DeviceEngine& entry = table_.at(Add());
  ASSERT_EQ(entry.workspaces.size(), 3u);
  EXPECT_NE(entry.workspaces[0], entry.workspaces[1]);
  EXPECT_EQ(entry.engine, &engine_);
  EXPECT_EQ(entry.hop, absl::Milliseconds(20));
}

// What is measured is time: an engine of so much for a step and so much for each stream.
TEST(MeasureStepCost, FindsWhatAStepAndAStreamCost) {
  class SlowEngine : public FakeEngine {
   public:
    SlowEngine(SimClock& clock, int slots) : FakeEngine(slots), clock_(clock) {}
    absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override {
      clock_.Advance(absl::Microseconds(100) + requests.size() * absl::Microseconds(20));
      return FakeEngine::Step(requests, workspace);
    }

   private:
    SimClock& clock_;
  };
  for (const int slots : {1, 2, 64, 200}) {
    SimClock clock;
    SlowEngine engine(clock, slots);
    std::vector<std::unique_ptr<StepWorkspace>> workspaces;
    workspaces.push_back(engine.MakeWorkspace());
    const StepCost cost = MeasureStepCost(engine, workspaces, clock);
    EXPECT_EQ(cost.Of(1), absl::Microseconds(120)) << slots;
    if (slots > 1) {
      EXPECT_EQ(cost.each, absl::Microseconds(20)) << slots;
    }
  }
}

// Each of several workers steps slots of its own, while the others step.
TEST(MeasureStepCost, StepsWithAllWorkersAtOnce) {
  class CrowdedEngine : public FakeEngine {
   public:
    using FakeEngine::FakeEngine;
    absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override {
      const MutexLock lock(&mu_);
      for (const HopRequest& request : requests) slots_[&workspace].insert(request.slot);
      return FakeEngine::Step(requests, workspace);
    }

    Mutex mu_;
    std::map<const StepWorkspace*, std::set<int>> slots_;
  };
  for (const int slots : {1, 2, 3, 7, 200}) {
    CrowdedEngine engine(slots);
    std::vector<std::unique_ptr<StepWorkspace>> workspaces;
    for (int worker = 0; worker < 3; ++worker) workspaces.push_back(engine.MakeWorkspace());
    MeasureStepCost(engine, workspaces, Clock::Steady());
    EXPECT_EQ(engine.slots_.size(), static_cast<size_t>(std::min(slots, 3)));
    std::set<int> seen;
    for (const auto& [workspace, own] : engine.slots_) {
      for (const int slot : own) EXPECT_TRUE(seen.insert(slot).second) << slot << " of " << slots;
    }
    EXPECT_LT(*seen.rbegin(), slots);
  }
}

}  // namespace
}  // namespace ddsp::server
