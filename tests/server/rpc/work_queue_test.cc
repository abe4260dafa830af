#include "server/rpc/work_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

TEST(WorkQueue, RunsEverythingThatItTook) {
  std::atomic<int> done = 0;
  {
    WorkQueue queue({.threads = 3, .max_waiting = 100});
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(queue.Post([&] { ++done; }).ok());
  }
  EXPECT_EQ(done, 100);
}

TEST(WorkQueue, RefusesWhatWouldWaitTooLong) {
  std::promise<void> started, go;
  WorkQueue queue({.threads = 1, .max_waiting = 1});
  ASSERT_TRUE(queue
                  .Post([&] {
                    started.set_value();
                    go.get_future().wait();
                  })
                  .ok());
  started.get_future().wait();
  ASSERT_TRUE(queue.Post([] {}).ok());
  const absl::Status refused = queue.Post([] {});
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(refused), "QUEUE_FULL");
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  go.set_value();
}

}  // namespace
}  // namespace ddsp::server
