#include "server/memory/memory_budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

TEST(MemoryBudget, RefusesBeforeItIsExceeded) {
  MemoryBudget budget(100);
  auto first = budget.Take(MemoryUse::kSessions, 60);
  ASSERT_TRUE(first.ok());
  const absl::Status refused = budget.Take(MemoryUse::kCalls, 41).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(refused), "MEMORY_EXHAUSTED");
  EXPECT_EQ(MetadataOf(refused), (ErrorMetadata{{"bytes", "41"}, {"used", "60"}, {"budget", "100"}}));
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  EXPECT_TRUE(budget.Take(MemoryUse::kCalls, 40).ok());
  EXPECT_EQ(budget.used(), 60) << "the last share was given back at once";
}

TEST(MemoryBudget, SharesComeBackOnceWhateverTheirWay) {
  MemoryBudget budget(100);
  {
    MemoryBudget::Share share = *budget.Take(MemoryUse::kSessions, 10);
    MemoryBudget::Share moved = std::move(share);
    share = *budget.Take(MemoryUse::kCalls, 20);
    EXPECT_TRUE(moved.Grow(5).ok());
    EXPECT_FALSE(moved.Grow(70).ok());
    EXPECT_EQ(budget.used(MemoryUse::kSessions), 15);
    EXPECT_EQ(budget.used(MemoryUse::kCalls), 20);
    moved = std::move(share);
    EXPECT_EQ(budget.used(MemoryUse::kSessions), 0);
    moved.Release();
    moved.Release();
    EXPECT_EQ(budget.used(), 0);
  }
  EXPECT_EQ(budget.used(), 0);
}

TEST(MemoryBudget, WithoutABoundItCounts) {
  MemoryBudget budget(0);
  const auto share = budget.Take(MemoryUse::kCalls, int64_t{1} << 50);
  EXPECT_TRUE(share.ok());
  EXPECT_EQ(budget.used(), int64_t{1} << 50);
}

// Theorem: whatever threads do, what is out never exceeds the limit, and all of it comes back.
TEST(MemoryBudget, HoldsUnderThreads) {
  MemoryBudget budget(1000);
  std::atomic<int64_t> out = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20000; ++round) {
        auto share = budget.Take(MemoryUse::kSessions, 300);
        if (!share.ok()) continue;
        EXPECT_LE(out.fetch_add(300) + 300, 1000);
        out.fetch_sub(300);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0);
}

}  // namespace
}  // namespace ddsp::server
