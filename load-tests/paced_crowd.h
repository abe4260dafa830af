// The paced streams of one level: opened a few at a time, begun as soon as they are let in. Whoever is refused for lack
// of room comes again when the server says, as clients do, for a while.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "load-tests/live_call.h"
#include "load-tests/load_run.h"
#include "load-tests/paced_stream.h"

namespace ddsp::loadtest {

class PacedCrowd {
 public:
  using Clock = std::chrono::steady_clock;

  // All outlive it.
  PacedCrowd(const LoadOptions& options, const std::vector<std::vector<float>>& recordings, ClientLoop& loop);
  // Every call has ended.
  ~PacedCrowd();

  // Errors: of a call that ended otherwise than with a refusal; the refusal where nobody was let in; DEADLINE_EXCEEDED.
  absl::Status Open();
  // Until everybody who was let in has sent everything; whoever has not been by then is given up. `beside` is called
  // about once in a millisecond.
  void Play(const std::function<void(Clock::time_point)>& beside);
  // Until every call has ended.
  void Finish();

  // Those that were let in and have begun.
  std::vector<PacedStream*> streams() const;

 private:
  // One client: its stream, or when it comes again.
  struct Client {
    std::shared_ptr<grpc::Channel> channel;
    PacedStreamOptions options;
    const std::vector<float>* recording = nullptr;
    size_t offset = 0;  // where it begins to play
    std::unique_ptr<PacedStream> stream;
    Clock::time_point again;
    bool begun = false;
  };
  using Turn = std::pair<Clock::time_point, size_t>;

  void Call(Client& client);
  // Begins streams that were let in, and calls for those that may come again.
  void Receive(Clock::time_point now);
  void BeginStream(size_t index, Clock::time_point now);
  void SendDue(Clock::time_point now);
  void EndAll();

  const LoadOptions& options_;
  ClientLoop& loop_;
  std::mt19937_64 random_;
  std::vector<Client> clients_;
  std::vector<size_t> arriving_;  // not begun, and not given up
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
  Clock::time_point open_until_;
};

}  // namespace ddsp::loadtest
