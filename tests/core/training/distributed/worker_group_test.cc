// Workers as threads of one process, each with its own connections.
#include "core/training/distributed/worker_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <functional>
#include <thread>
#include <vector>

namespace ddsp::training {
namespace {

using testing::HasSubstr;
using Work = std::function<void(WorkerGroup&)>;

// Runs `work` at each of `workers` workers that have joined; rank 0 starts the others, as a program does.
void RunWorkers(int workers, absl::Duration timeout, const Work& work) {
  std::vector<std::thread> others;
  JoinOptions options;
  options.workers = workers;
  options.timeout = timeout;
  options.join_timeout = absl::Seconds(60);
  options.prepare = [&](int port) {
    for (int rank = 1; rank < workers; ++rank) {
      others.emplace_back([=, &work] {
        JoinOptions here = options;
        here.rank = rank;
        here.port = port;
        here.prepare = nullptr;
        auto group = JoinWorkers(here);
        ASSERT_TRUE(group.ok()) << group.status();
        work(**group);
      });
    }
    return absl::OkStatus();
  };
  {
    auto group = JoinWorkers(options);
    EXPECT_TRUE(group.ok()) << group.status();
    if (group.ok()) work(**group);
    for (std::thread& other : others) other.join();  // before rank 0's store closes
  }
}

TEST(WorkerGroup, SumsOverAllWorkers) {
  RunWorkers(3, absl::Seconds(60), [](WorkerGroup& group) {
    const at::Tensor values = at::arange(5, at::kFloat) * (group.rank() + 1);
    ASSERT_TRUE(group.Sum(values).ok());
    EXPECT_TRUE(at::equal(values, at::arange(5, at::kFloat) * 6));
  });
}

// Theorem: after a sum every worker has the same bits, and so has every run of as many workers.
TEST(WorkerGroup, SumsAreTheSameBitsEverywhereAndEachTime) {
  std::vector<at::Tensor> sums(6);
  for (int run = 0; run < 2; ++run) {
    RunWorkers(3, absl::Seconds(60), [&](WorkerGroup& group) {
      at::Generator generator = at::detail::createCPUGenerator(group.rank());
      const at::Tensor values = at::empty({100003}).normal_(0, 1, generator);
      ASSERT_TRUE(group.Sum(values).ok());
      sums[run * 3 + group.rank()] = values;
    });
  }
  for (const at::Tensor& sum : sums) EXPECT_TRUE(at::equal(sum, sums[0]));
}

TEST(WorkerGroup, CopiesFromTheFirst) {
  RunWorkers(2, absl::Seconds(60), [](WorkerGroup& group) {
    const at::Tensor values = at::full({4}, group.rank() + 5, at::kLong);
    ASSERT_TRUE(group.CopyFromFirst(values).ok());
    EXPECT_TRUE(at::equal(values, at::full({4}, 5, at::kLong)));
  });
}

TEST(WorkerGroup, KnowsWhatIsTrueOfAnyone) {
  RunWorkers(2, absl::Seconds(60), [](WorkerGroup& group) {
    EXPECT_EQ(AnyWorker(group, false).value(), false);
    EXPECT_EQ(AnyWorker(group, group.rank() == 1).value(), true);
  });
}

TEST(WorkerGroup, EveryoneIsToldWhoDiffers) {
  RunWorkers(3, absl::Seconds(60), [](WorkerGroup& group) {
    EXPECT_TRUE(CheckSame(group, "recipe", "same").ok());
    const absl::Status status = CheckSame(group, "recipe", group.rank() == 2 ? "that" : "this");
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("workers 2 have another recipe"));
  });
}

TEST(WorkerGroup, OneThatLeavesIsNoticedAtOnce) {
  RunWorkers(2, absl::Minutes(10), [](WorkerGroup& group) {
    if (group.rank() == 1) return;  // its connections close
    const absl::Status status = group.Sum(at::zeros({4}));
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr("a worker of this training was lost"));
    EXPECT_EQ(group.Sum(at::zeros({4})), status);  // and for good
  });
}

TEST(WorkerGroup, OneThatIsSilentIsGivenUp) {
  RunWorkers(2, absl::Milliseconds(500), [](WorkerGroup& group) {
    if (group.rank() == 0) {
      EXPECT_EQ(group.Sum(at::zeros({4})).code(), absl::StatusCode::kUnavailable);
      return;
    }
    // Says nothing, and stays until the other has given up.
    EXPECT_EQ(group.CopyFromFirst(at::zeros({4})).code(), absl::StatusCode::kUnavailable);
  });
}

TEST(WorkerGroup, GivesUpOnThoseWhoDoNotCome) {
  JoinOptions options;
  options.join_timeout = absl::Milliseconds(300);
  EXPECT_EQ(JoinWorkers(options).status().code(), absl::StatusCode::kUnavailable);
  options.rank = 1;
  options.port = 1;  // nobody listens there
  EXPECT_EQ(JoinWorkers(options).status().code(), absl::StatusCode::kUnavailable);
}

TEST(WorkerGroup, RefusesOptionsThatCannotBe) {
  for (const auto& [workers, rank, port] : {std::tuple{2, 2, 0}, {2, -1, 0}, {0, 0, 0}, {2, 0, 65536}, {2, 1, 0}}) {
    JoinOptions options;
    options.workers = workers;
    options.rank = rank;
    options.port = port;
    EXPECT_EQ(JoinWorkers(options).status().code(), absl::StatusCode::kInvalidArgument);
  }
  JoinOptions options;
  options.host = "no such host";
  EXPECT_EQ(JoinWorkers(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(WorkerGroup, AnErrorOfThePreparationEndsTheJoin) {
  JoinOptions options;
  options.prepare = [](int) { return absl::NotFoundError("no recordings"); };
  EXPECT_EQ(JoinWorkers(options).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddsp::training
