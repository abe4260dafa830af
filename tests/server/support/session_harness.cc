#include "tests/server/support/session_harness.h"

#include "core/base/check.h"
#include "server/registry/feature_engine.h"

namespace ddsp::testing {
namespace {

std::unique_ptr<server::Registry> FakeRegistry(int slots) {
  std::vector<server::VoiceListing> voices(1);
  voices[0].model = "violin";
  voices[0].version = 1;
  voices[0].engine = std::make_unique<FakeEngine>(slots);
  auto extractor = FeatureExtractor::Create({});
  return std::make_unique<server::Registry>(std::move(voices),
                                            std::make_unique<server::FeatureEngine>(*std::move(extractor), slots));
}

}  // namespace

House::House(int slots, server::SessionLimits session_limits)
    : registry(FakeRegistry(slots)),
      load({}, {}, clock),
      hosting(engines, load, metrics, clock),
      scheduler({}, load, clock),
      roster({.max_sessions = slots}, *registry, metrics, load),
      device(std::make_unique<server::DeviceWorker>(device_services(&executor))),
      limits(session_limits) {
  for (const auto& voice : registry->hosted()) DDSP_CHECK(hosting.Begin(*voice).ok(), "there is room for two engines");
}

void House::RunDevice(int most) {
  server::DeviceWork work;
  for (; most > 0 && scheduler.waiting() > 0 && scheduler.Next(&work); --most) device->Do(work);
}

server::DeviceServices House::device_services(server::Executor* crew) {
  return {.scheduler = &scheduler, .load = &load, .crew = crew, .clock = &clock, .engines = &engines};
}

server::SessionServices House::services() {
  return {.host = &roster,
          .scheduler = &scheduler,
          .crew = &executor,
          .clock = &clock,
          .metrics = &metrics,
          .snapshots = &snapshots,
          .limits = limits};
}

Caller::Caller(House& house) : house(house), session(std::make_shared<server::Session>(house.services(), &outlet)) {
  outlet.session = session.get();
  house.roster.Add(session);
}

Caller::~Caller() {
  session->OnGone();
  house.RunDevice();
  session->Detach();
  house.roster.Remove(session.get());
}

void Caller::Open(const v1::SessionConfig& config) {
  Send(Request(config));
  house.RunDevice();
}

void Caller::Sing(absl::Span<const float> samples) {
  Send(AudioRequest(seq++, position, samples));
  position += samples.size();
  house.RunDevice();
}

void Caller::HalfClose() {
  session->OnHalfClose();
  house.RunDevice();
}

std::vector<float> Caller::audio() const {
  std::vector<float> audio;
  for (const v1::StreamSessionResponse& message : outlet.messages) {
    const std::vector<float> block = FloatsOf(message.audio().data());
    audio.insert(audio.end(), block.begin(), block.end());
  }
  return audio;
}

int Caller::Count(v1::StreamSessionResponse::ResponseCase kind) const {
  int count = 0;
  for (const v1::StreamSessionResponse& message : outlet.messages) count += message.response_case() == kind;
  return count;
}

}  // namespace ddsp::testing
