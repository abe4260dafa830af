#include "server/rpc/io_thread.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "core/base/thread_scheduling.h"
#include "grpc/support/time.h"
#include "server/rpc/call.h"

namespace ddsp::server {
namespace {

constexpr int kFewCalls = 8;
constexpr absl::Duration kRestPerCall = absl::Microseconds(10), kLongestRest = absl::Milliseconds(2);
// A queue other than the first is looked at this often when nothing happens: calls of an admin port begin there.
constexpr std::chrono::milliseconds kLongestWait(10);
// A poll handles one event of the network, and not each completes something: the acknowledgement of a write is one too.
// So a round ends after this many polls without effect, and one more for each thing that was completed of late.
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
  RunSoonAfterWaking();
  while (!queues_.empty()) {
    if (Round()) {
      absl::SleepFor(RestBetweenRounds(calls_()));
    } else {
      Wait();
    }
  }
}

bool IoThread::Round() {
  const int completed_before = std::exchange(completed_, 0);
  for (size_t i = 0; i < queues_.size();) {
    if (Drain(queues_[i], kEmptyPolls + completed_before)) {
      queues_.erase(queues_.begin() + i);
    } else {
      ++i;
    }
  }
  return completed_ > 0;
}

bool IoThread::Drain(grpc::CompletionQueue* queue, int empty_polls) {
  void* tag = nullptr;
  bool ok = false;
  while (empty_polls > 0) {
    switch (queue->AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC))) {
      case grpc::CompletionQueue::GOT_EVENT:
        static_cast<Completion*>(tag)->Complete(ok);
        ++completed_;
        ++empty_polls;
        break;
      case grpc::CompletionQueue::TIMEOUT:
        --empty_polls;
        break;
      case grpc::CompletionQueue::SHUTDOWN:
        return true;
    }
  }
  return false;
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
