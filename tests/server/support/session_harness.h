// A session without a network and without threads: the test is the wire, the clock and the device.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/errors/errors.h"
#include "server/registry/hosting.h"
#include "server/scheduler/device_worker.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"
#include "tests/server/support/fake_engine.h"
#include "tests/server/support/inline_executor.h"
#include "tests/server/support/requests.h"

namespace ddsp::testing {

// The client's ear. Reads at once unless told to be deaf.
class FakeOutlet : public server::SessionOutlet {
 public:
  void Write(v1::StreamSessionResponse message, bool) override {
    messages.push_back(std::move(message));
    if (deaf) {
      unread = true;
    } else {
      session->OnWritten(true);
    }
  }
  void Finish(const absl::Status& status) override { finished = status; }
  void GiveUp() override {
    if (std::exchange(unread, false)) session->OnWritten(false);
  }
  // Reads what waits, and goes on reading.
  void Listen() {
    deaf = false;
    if (std::exchange(unread, false)) session->OnWritten(true);
  }

  server::Session* session = nullptr;
  bool deaf = false, unread = false;
  std::vector<v1::StreamSessionResponse> messages;
  std::optional<absl::Status> finished;
};

// Everything that sessions share.
class House {
 public:
  explicit House(int slots = 4, server::SessionLimits limits = {});

  // Does all work that waits for the device, or so many pieces of it.
  void RunDevice(int most = 1'000'000);

  SimClock clock;
  server::SnapshotSeal snapshots{{.keys = {std::string(32, 'k')}}, clock};
  server::ServerMetrics metrics;
  std::unique_ptr<server::Registry> registry;
  server::DeviceLoad load;
  server::EngineTable engines{4};  // as many workers as tests have
  server::Hosting hosting;
  server::StreamScheduler scheduler;
  server::SessionRoster roster;
  InlineExecutor executor;
  std::unique_ptr<server::DeviceWorker> device;
  server::SessionLimits limits;

  server::SessionServices services();
  server::DeviceServices device_services(server::Executor* crew);
};

class Caller {
 public:
  explicit Caller(House& house);
  ~Caller();

  void Send(const v1::StreamSessionRequest& request) { session->OnRequest(request); }
  // Config, reset, started.
  void Open(const v1::SessionConfig& config);
  // The next block of audio; the device runs.
  void Sing(absl::Span<const float> samples);
  void HalfClose();
  // Has sent so much already, elsewhere.
  void GoOn(const v1::SessionPosition& at) {
    seq = at.input_seq();
    position = at.input_sample();
  }

  std::vector<float> audio() const;  // of all blocks, float
  int Count(v1::StreamSessionResponse::ResponseCase kind) const;
  const v1::SessionStarted& started() const { return outlet.messages.at(0).started(); }
  const v1::SessionSummary& summary() const { return outlet.messages.back().summary(); }
  std::string reason() const {
    return outlet.finished.has_value() ? server::ReasonOf(*outlet.finished) : "(not finished)";
  }
  absl::StatusCode code() const { return outlet.finished.value_or(absl::UnknownError("not finished")).code(); }
  // Of the final status.
  std::string metadata(const std::string& key) const { return server::MetadataOf(*outlet.finished)[key]; }

  House& house;
  FakeOutlet outlet;
  std::shared_ptr<server::Session> session;
  uint64_t seq = 0, position = 0;
};

}  // namespace ddsp::testing
