// Clients as nobody wants them, beside the ones that are measured.
//
// In turn: one that stops in the middle and then sends everything at once; one that sends a second at a time; one that
// sends single samples; one that disconnects in the middle of a block and comes back; one that never reads. One thread
// acts for all.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ddsp::loadtest {

class Troublemaker {
 public:
  virtual ~Troublemaker() = default;
  // `seconds` have passed since the beginning. Called about a thousand times a second.
  virtual void Act(double seconds) = 0;
};

class Troublemakers {
 public:
  // They go on until destroyed. `server` is HOST:PORT.
  Troublemakers(const std::string& server, const std::string& model, int count);
  ~Troublemakers();

 private:
  void Run();

  std::vector<std::unique_ptr<Troublemaker>> troublemakers_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace ddsp::loadtest
