#include "core/cuda/parallel_loop.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::cuda {
namespace {

TEST(ParallelLoop, TakesEveryTurnOnce) {
  for (const int threads : {1, 2, 5}) {
    ParallelLoop loop(threads);
    for (const int count : {0, 1, 15, 16, 17, 1000}) {
      std::vector<int> taken(count);
      loop.Run(count, [&](const ParallelLoop::Turns& turns) {
        EXPECT_TRUE(turns.thread >= 0 && turns.thread < loop.threads());
        EXPECT_LE(turns.end - turns.begin, ParallelLoop::kMaxTurns);
        for (int i = turns.begin; i < turns.end; ++i) ++taken[i];
      });
      EXPECT_THAT(taken, ::testing::Each(1)) << threads << " threads, " << count << " turns";
    }
  }
}

// What was done in one loop is seen in the next, whichever threads did it.
TEST(ParallelLoop, ReturnsWhenAllIsDone) {
  ParallelLoop loop(4);
  std::vector<int> values(100);
  for (int round = 0; round < 500; ++round) {
    loop.Run(100, [&](const ParallelLoop::Turns& turns) {
      for (int i = turns.begin; i < turns.end; ++i) values[99 - i] = values[99 - i] + 1;
    });
  }
  EXPECT_THAT(values, ::testing::Each(500));
}

}  // namespace
}  // namespace ddsp::cuda
