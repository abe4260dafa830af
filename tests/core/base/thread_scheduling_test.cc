#include "core/base/thread_scheduling.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <thread>

namespace ddsp {
namespace {

int NicenessOfThread() { return getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid))); }

// The slice that the kernel says the thread has; zero where it knows of none. It stands 24 bytes into struct
// sched_attr.
uint64_t SliceNs() {
  std::array<uint64_t, 6> attributes{};
  return syscall(SYS_sched_getattr, 0, attributes.data(), sizeof(attributes), 0) == 0 ? attributes[3] : 0;
}

TEST(ThreadScheduling, LettingOthersGoFirstIsOfOneThread) {
  const int before = NicenessOfThread();
  int there = 0;
  std::thread([&] {
    LetOthersGoFirst(19);
    there = NicenessOfThread();
  }).join();
  EXPECT_EQ(there, 19);
  EXPECT_EQ(NicenessOfThread(), before);
}

TEST(ThreadScheduling, RunningSoonChangesTheSliceAlone) {
  std::thread([] {
    if (SliceNs() == 0) GTEST_SKIP() << "this kernel tells no slices";
    LetOthersGoFirst(19);
    RunSoonAfterWaking();
    EXPECT_EQ(SliceNs(), 100'000u);
    EXPECT_EQ(NicenessOfThread(), 19);
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
  }).join();
}

}  // namespace
}  // namespace ddsp
