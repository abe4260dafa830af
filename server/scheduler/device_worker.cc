#include "server/scheduler/device_worker.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ddsp::server {
namespace {

// Steps that a measurement takes the fastest of.
constexpr int kRounds = 6;
// Streams of the larger one.
constexpr int kMany = 64;
// No piece of the crew's work has fewer streams while there is more than one.
constexpr size_t kLeastPiece = 4;

absl::Duration HopOf(const VoiceEngine& engine) {
  const StreamFormat format = engine.format(StreamInput::kAudio);
  return absl::Seconds(1) * format.hop_size / format.sample_rate;
}

}  // namespace

DeviceWorker::DeviceWorker(const DeviceServices& services) : services_(services) {
  for (const DeviceEngine& device : services_.engines) workspaces_.push_back(device.engine->MakeWorkspace());
}

void DeviceWorker::Run() {
  DeviceWork work;
  while (services_.scheduler->Next(&work)) Do(work);
}

void DeviceWorker::Do(DeviceWork& work) {
  for (const ResetTicket& ticket : work.resets) {
    ticket.stream->ResetDone(services_.engines[work.engine].engine->Reset(ticket.slot, ticket.settings));
  }
  if (!work.hops.empty()) Step(work.engine, work.hops);
}

void DeviceWorker::Step(int engine, std::vector<HopTicket>& hops) {
  const DeviceEngine& device = services_.engines[engine];
  requests_.clear();
  for (const HopTicket& hop : hops) requests_.push_back(hop.request);
  const absl::Time begin = services_.clock->Now();
  const absl::Span<const absl::Status> statuses = device.engine->Step(requests_, *workspaces_[engine]);
  const absl::Time end = services_.clock->Now();
  LoadMeter::Step step{.engine = engine, .streams = static_cast<int>(hops.size()), .begin = begin, .end = end};
  for (size_t i = 0; i < hops.size(); ++i) {
    const ReadyHop& ready = hops[i].ready;
    const absl::Duration queued = begin - ready.since;
    if (ready.qos == QualityOfService::kRealtime) {
      ++step.realtime;
      step.waited += queued;
    }
    hops[i].stream->HopDone(statuses[i], {.queued = queued, .computed = end - begin});
  }
  HandOver(hops, end);
  services_.load->Stepped(step);
  device.metrics->batch_size->Observe(static_cast<double>(step.streams));
  device.metrics->tick_seconds->Observe(absl::ToDoubleSeconds(end - begin));
  if (end - begin > HopOf(*device.engine)) device.metrics->tick_overrun->Increment();
}

// In as few pieces as keep the crew busy: each may wake a thread.
void DeviceWorker::HandOver(std::vector<HopTicket>& hops, absl::Time now) {
  const size_t pieces = std::clamp<size_t>(hops.size() / kLeastPiece, 1, services_.crew->threads());
  for (size_t piece = 0; piece < pieces; ++piece) {
    const size_t first = hops.size() * piece / pieces, end = hops.size() * (piece + 1) / pieces;
    std::vector<std::shared_ptr<ScheduledStream>> streams;
    streams.reserve(end - first);
    for (size_t i = first; i < end; ++i) streams.push_back(std::move(hops[i].stream));
    services_.crew->Post([load = services_.load, clock = services_.clock, now, streams = std::move(streams)] {
      load->WaitedForCrew(clock->Now() - now);
      for (const std::shared_ptr<ScheduledStream>& stream : streams) stream->AfterHop();
    });
  }
}

void DeviceWorker::MeasureCosts() {
  for (size_t i = 0; i < services_.engines.size(); ++i) {
    const int engine = static_cast<int>(i);
    const int many = std::min(kMany, services_.engines[i].engine->slots());
    TimeSteps(engine, many);  // the first use of memory is slow
    services_.load->SetCost(engine, StepCost::Through(1, TimeSteps(engine, 1), many, TimeSteps(engine, many)));
  }
}

absl::Duration DeviceWorker::TimeSteps(int engine, int streams) {
  VoiceEngine& device = *services_.engines[engine].engine;
  const int hop = device.format(StreamInput::kAudio).hop_size;
  const std::vector<float> input(hop);
  std::vector<float> output(static_cast<size_t>(hop) * streams);
  requests_.assign(streams, HopRequest{});
  for (int slot = 0; slot < streams; ++slot) {
    device.Reset(slot, {}).IgnoreError();  // the default settings are good for any engine
    requests_[slot].slot = slot;
    requests_[slot].audio = input;
    requests_[slot].output = absl::MakeSpan(output).subspan(static_cast<size_t>(slot) * hop, hop);
  }
  absl::Duration fastest = absl::InfiniteDuration();
  for (int round = 0; round < kRounds + device.format(StreamInput::kAudio).warmup_hops; ++round) {
    const absl::Time begin = services_.clock->Now();
    device.Step(requests_, *workspaces_[engine]);
    // The first hops of a stream do less.
    if (round >= device.format(StreamInput::kAudio).warmup_hops) {
      fastest = std::min(fastest, services_.clock->Now() - begin);
    }
  }
  return fastest;
}

DeviceThreads::DeviceThreads(int threads, const DeviceServices& services) {
  for (int i = 0; i < threads; ++i) workers_.push_back(std::make_unique<DeviceWorker>(services));
  workers_[0]->MeasureCosts();
  for (const auto& worker : workers_) {
    threads_.emplace_back([&worker = *worker] { worker.Run(); });
    pthread_setname_np(threads_.back().native_handle(), absl::StrCat("ddsp-device-", threads_.size() - 1).c_str());
  }
}

DeviceThreads::~DeviceThreads() {
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace ddsp::server
