#include "server/memory/heap_keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <vector>

namespace ddsp::server {
namespace {

int64_t ResidentBytes() {
  long pages = 0, resident = 0;  // NOLINT: what fscanf reads
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  EXPECT_EQ(std::fscanf(file, "%ld %ld", &pages, &resident), 2);
  std::fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

// 32 MiB in blocks of 16 KiB, each behind a small one that stays: a heap that cannot shrink at its end.
std::vector<std::unique_ptr<char[]>> PileUpAndFree() {
  std::vector<std::unique_ptr<char[]>> kept, freed;
  for (int i = 0; i < 2048; ++i) {
    freed.push_back(std::make_unique<char[]>(16 << 10));
    kept.push_back(std::make_unique<char[]>(64));
  }
  return kept;
}

TEST(HeapKeeper, GivesBackWhatIsFree) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have a heap of their own";
#endif
  HeapKeeper keeper(absl::Minutes(1));
  const absl::Time start = absl::UnixEpoch();
  keeper.CheckAt(start);
  const int64_t before = ResidentBytes();
  const auto kept = PileUpAndFree();
  EXPECT_GT(ResidentBytes(), before + (24 << 20));
  keeper.CheckAt(start + absl::Seconds(59));
  EXPECT_GT(ResidentBytes(), before + (24 << 20)) << "only once a minute";
  keeper.CheckAt(start + absl::Seconds(60));
  EXPECT_LT(ResidentBytes(), before + (12 << 20));
}

}  // namespace
}  // namespace ddsp::server
