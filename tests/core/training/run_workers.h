// Several workers of one training, as threads of this process.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "core/training/distributed/worker_group.h"

namespace ddsp::training {

// Runs `work` at each of `workers`, until all have ended.
inline void RunWorkers(int workers, const std::function<void(WorkerGroup&)>& work) {
  std::vector<std::thread> others;
  JoinOptions options;
  options.workers = workers;
  const auto join = [&work](const JoinOptions& here) {
    auto group = JoinWorkers(here);
    ASSERT_TRUE(group.ok()) << group.status();
    work(**group);
  };
  options.prepare = [&](int port) {
    for (int rank = 1; rank < workers; ++rank) {
      JoinOptions here = options;
      here.rank = rank;
      here.port = port;
      here.prepare = nullptr;
      others.emplace_back(join, here);
    }
    return absl::OkStatus();
  };
  join(options);
  for (std::thread& other : others) other.join();
}

}  // namespace ddsp::training
