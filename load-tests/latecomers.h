// Clients for whom there is no room: each calls, is refused, waits as long as it was told to, and calls again.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/sdk/server_address.h"
#include "load-tests/live_call.h"

namespace ddsp::loadtest {

// How they were refused: from the call to its status.
struct Refusals {
  int64_t calls = 0;  // that ended
  double p50_ms = 0, p99_ms = 0, max_ms = 0;
  int64_t slow = 0;  // that took longer than kLongestRefusalMs
  // Calls with another answer than SESSION_SLOTS_EXHAUSTED and a time to come back, and what it was.
  int64_t others = 0;
  std::string first_other;
};
inline constexpr double kLongestRefusalMs = 10;

class Latecomers {
 public:
  struct Options {
    client::ServerAddress server;
    std::string model;
    int count = 0;
    uint64_t seed = 1;  // of when they come
  };
  // `loop` outlives them.
  Latecomers(ClientLoop& loop, const Options& options);
  ~Latecomers();

  // Each opens its connection.
  absl::Status Connect();
  // Called about a thousand times a second.
  void Act(std::chrono::steady_clock::time_point now);
  // Those who still wait for an answer go without one.
  Refusals Leave();

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Client {
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<LiveCall> call;
    Time next, called;
  };
  // Returns when the client may come back.
  Time Count(const Client& client);
  void CountOther(const std::string& what);

  ClientLoop& loop_;
  const Options options_;
  std::mt19937_64 random_;
  std::vector<Client> clients_;
  std::vector<double> latencies_ms_;
  Refusals refusals_;
};

}  // namespace ddsp::loadtest
