#include "server/metrics/process_usage.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace ddsp::server {
namespace {

TEST(ReadMachineCpuSeconds, SeesThisProgramWork) {
  if (ReadMachineCpuSeconds() == 0) GTEST_SKIP() << "this system has no /proc/stat";
  if (getpriority(PRIO_PROCESS, 0) > 0) GTEST_SKIP() << "programs that give way do not count";
  const double machine = ReadMachineCpuSeconds(), own = ReadProcessUsage().cpu_seconds;
  volatile double work = 0;
  while (ReadProcessUsage().cpu_seconds < own + 0.3) {
    for (int i = 0; i < 100'000; ++i) work = work + i;
  }
  EXPECT_GT(ReadMachineCpuSeconds() - machine, 0.15);
}

}  // namespace
}  // namespace ddsp::server
