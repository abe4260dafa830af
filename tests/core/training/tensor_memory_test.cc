#include "core/training/tensor_memory.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <thread>

namespace ddsp::training {
namespace {

constexpr int64_t kFloats = int64_t{1} << 20;

TEST(TensorMemory, ABlockThatIsFreedServesTheNextTensorOfAboutItsSize) {
  KeepTensorMemory();
  const void* first = at::empty({kFloats}).data_ptr();
  EXPECT_EQ(at::empty({kFloats}).data_ptr(), first);
  EXPECT_EQ(at::empty({kFloats - 1000}).data_ptr(), first);
  const at::Tensor held = at::empty({kFloats});
  EXPECT_NE(at::empty({kFloats}).data_ptr(), held.data_ptr());
}

TEST(TensorMemory, CountsWhatIsKept) {
  KeepTensorMemory();
  at::Tensor held = at::empty({kFloats});
  const int64_t before = KeptTensorBytes();
  held.reset();
  EXPECT_GE(KeptTensorBytes() - before, 4 * kFloats);
  const int64_t kept = KeptTensorBytes();
  at::empty({16}).fill_(1);  // small ones are not its business
  EXPECT_EQ(KeptTensorBytes(), kept);
}

// Theorem: no two tensors that are alive at once share memory, whichever threads make and free them.
TEST(TensorMemory, ThreadsNeverShareABlock) {
  KeepTensorMemory();
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread, &wrong] {
      for (int round = 0; round < 50; ++round) {
        const at::Tensor mine = at::full({kFloats / 4 + 5000 * (round % 7)}, static_cast<float>(thread));
        std::this_thread::yield();
        wrong[thread] += mine.min().item<float>() != thread || mine.max().item<float>() != thread;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace ddsp::training
