// A slow way to a server: what passes is delayed and throttled. Any number of connections, one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/loopback.h"

namespace ddsp::testing {

class SlowProxy {
 public:
  struct Settings {
    std::chrono::milliseconds delay{40};    // each way
    double bytes_per_second = 1 << 20;      // of each connection, each way
    size_t most_waiting_bytes = 256 << 10;  // of each connection, each way: then the sender has to wait
  };
  // Forwards to a port of this host.
  SlowProxy(int target_port, const Settings& settings);
  // Ends all connections.
  ~SlowProxy();
  SlowProxy(const SlowProxy&) = delete;
  SlowProxy& operator=(const SlowProxy&) = delete;

  int port() const { return listener_.port(); }
  std::string address() const { return listener_.address(); }
  int64_t forwarded_bytes() const { return forwarded_bytes_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Part {
    std::string bytes;
    Clock::time_point due;
  };
  // One direction of a connection.
  struct Way {
    int from = -1, to = -1;
    std::deque<Part> waiting;
    size_t waiting_bytes = 0;
    Clock::time_point free;  // when the last part is through
    bool source_ended = false;
  };
  struct Connection {
    Way there, back;
    bool broken = false;
  };

  void Run();
  void Accept();
  void Read(Way* way, bool* broken);
  void Write(Way* way, Clock::time_point now, bool* broken);

  const int target_port_;
  const Settings settings_;
  LoopbackListener listener_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::atomic<int64_t> forwarded_bytes_ = 0;
  std::atomic<bool> closing_ = false;
  std::thread thread_;
};

}  // namespace ddsp::testing
