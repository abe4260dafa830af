// A team (core/cuda/device_code.h) of threads: each runs the kernel, as on a GPU, and phases end with a barrier.
#pragma once

#include <barrier>
#include <vector>

namespace ddsp::cuda {

class ThreadTeam {
 public:
  static constexpr int kThreads = 4;  // each stands for every fourth thread of a block

  // What the threads of a block share.
  struct Block {
    std::barrier<> barrier{kThreads};
    double sums[kThreads];
    std::vector<float> scratch;
  };

  ThreadTeam(int threads, int index, Block& block) : threads_(threads), index_(index), block_(block) {}

  float* scratch() const { return block_.scratch.data(); }

  // Of each thread its own.
  template <class T>
  std::vector<T> PerThread() const {
    return std::vector<T>(threads_);
  }

  template <class Body>
  void ForEach(int count, Body body) const {
    for (int i = index_; i < count; i += kThreads) body(i);
    block_.barrier.arrive_and_wait();
  }

  template <class Term>
  float Sum(int count, Term term) const {
    double sum = 0;
    for (int i = index_; i < count; i += kThreads) sum += term(i);
    block_.sums[index_] = sum;
    block_.barrier.arrive_and_wait();
    sum = 0;
    for (const double part : block_.sums) sum += part;
    block_.barrier.arrive_and_wait();
    return static_cast<float>(sum);
  }

 private:
  const int threads_, index_;
  Block& block_;
};

}  // namespace ddsp::cuda
