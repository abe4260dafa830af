#include "core/cuda/parallel_loop.h"

#include <algorithm>

namespace ddsp::cuda {
namespace {

constexpr int kTurns = 8;  // taken at a time: some tens of microseconds of features

}  // namespace

ParallelLoop::ParallelLoop(int threads) {
  for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

ParallelLoop::~ParallelLoop() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ParallelLoop::TakeTurns(Round& round) {
  for (int begin = round.next.fetch_add(kTurns); begin < round.count; begin = round.next.fetch_add(kTurns)) {
    for (int i = begin; i < std::min(begin + kTurns, round.count); ++i) round.body(i);
  }
}

void ParallelLoop::ForEach(int count, absl::FunctionRef<void(int)> body) {
  Round round{count, body};
  if (!threads_.empty() && count > kTurns) {
    MutexLock lock(&mu_);
    round_ = &round;
    ++rounds_;
    changed_.NotifyAll();
  }
  TakeTurns(round);
  MutexLock lock(&mu_);
  round_ = nullptr;  // who wakes up late finds nothing
  while (working_ > 0) changed_.Wait(&mu_);
}

void ParallelLoop::Work() {
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
    TakeTurns(*round);
    mu_.Lock();
    if (--working_ == 0) changed_.NotifyAll();
  }
}

}  // namespace ddsp::cuda
