#include "server/rpc/io_thread.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "grpc/support/time.h"
#include "server/rpc/call.h"

namespace ddsp::server {
namespace {

constexpr int kFewCalls = 8;
constexpr absl::Duration kRestPerCall = absl::Microseconds(10), kLongestRest = absl::Milliseconds(1);
// A queue other than the first is looked at this often when nothing happens: calls of an admin port begin there.
constexpr std::chrono::milliseconds kLongestWait(10);
// A poll handles one event of the network, and not each completes something.
constexpr int kEmptyPolls = 3;

}  // namespace

absl::Duration RestBetweenRounds(int calls) {
  return calls < kFewCalls ? absl::ZeroDuration() : std::min(kLongestRest, calls * kRestPerCall);
}

IoThread::IoThread(std::vector<grpc::CompletionQueue*> queues, std::function<int()> calls)
    : queues_(std::move(queues)), calls_(std::move(calls)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "ddsp-io");
}

IoThread::~IoThread() { thread_.join(); }

void IoThread::Run() {
  while (!queues_.empty()) {
    if (Round()) {
      absl::SleepFor(RestBetweenRounds(calls_()));
    } else {
      Wait();
    }
  }
}

bool IoThread::Round() {
  bool any = false;
  for (size_t i = 0; i < queues_.size();) {
    void* tag = nullptr;
    bool ok = false, shut_down = false;
    for (int empty = 0; empty < kEmptyPolls && !shut_down;) {
      switch (queues_[i]->AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC))) {
        case grpc::CompletionQueue::GOT_EVENT:
          static_cast<Completion*>(tag)->Complete(ok);
          any = true;
          empty = 0;
          break;
        case grpc::CompletionQueue::TIMEOUT:
          ++empty;
          break;
        case grpc::CompletionQueue::SHUTDOWN:
          shut_down = true;
          break;
      }
    }
    if (shut_down) {
      queues_.erase(queues_.begin() + i);
    } else {
      ++i;
    }
  }
  return any;
}

void IoThread::Wait() {
  if (queues_.empty()) return;
  void* tag = nullptr;
  bool ok = false;
  const auto until = std::chrono::system_clock::now() + kLongestWait;
  if (queues_[0]->AsyncNext(&tag, &ok, until) == grpc::CompletionQueue::GOT_EVENT) {
    static_cast<Completion*>(tag)->Complete(ok);
  }
}

}  // namespace ddsp::server
