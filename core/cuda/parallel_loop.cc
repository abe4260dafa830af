#include "core/cuda/parallel_loop.h"

#include <algorithm>

namespace ddsp::cuda {

ParallelLoop::ParallelLoop(int threads) {
  for (int i = 1; i < threads; ++i) threads_.emplace_back([this, i] { Work(i); });
}

ParallelLoop::~ParallelLoop() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ParallelLoop::TakeTurns(Round& round, int thread) {
  for (int begin = round.next.fetch_add(kMaxTurns); begin < round.count; begin = round.next.fetch_add(kMaxTurns)) {
    round.body({begin, std::min(begin + kMaxTurns, round.count), thread});
  }
}

void ParallelLoop::Run(int count, absl::FunctionRef<void(const Turns&)> body) {
  Round round{count, body};
  if (!threads_.empty() && count > kMaxTurns) {
    MutexLock lock(&mu_);
    round_ = &round;
    ++rounds_;
    changed_.NotifyAll();
  }
  TakeTurns(round, 0);
  MutexLock lock(&mu_);
  round_ = nullptr;  // who wakes up late finds nothing
  while (working_ > 0) changed_.Wait(&mu_);
}

void ParallelLoop::Work(int thread) {
  int64_t seen = 0;
  MutexLock lock(&mu_);
  while (true) {
    while (!stopping_ && rounds_ == seen) changed_.Wait(&mu_);
    if (stopping_) return;
    seen = rounds_;
    Round* const round = round_;
    if (round == nullptr) continue;
    ++working_;
    mu_.Unlock();
    TakeTurns(*round, thread);
    mu_.Lock();
    if (--working_ == 0) changed_.NotifyAll();
  }
}

}  // namespace ddsp::cuda
