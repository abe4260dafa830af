#include "server/scheduler/device_worker.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ddsp::server {
namespace {

// No piece of the crew's work has fewer streams while there is more than one.
constexpr size_t kLeastPiece = 4;

}  // namespace

void DeviceWorker::Run() {
  DeviceWork work;
  while (services_.scheduler->Next(&work)) Do(work);
}

void DeviceWorker::Do(DeviceWork& work) {
  for (const ResetTicket& ticket : work.resets) {
    ticket.stream->ResetDone(services_.engines->at(work.engine).engine->Reset(ticket.slot, ticket.settings));
  }
  if (!work.hops.empty()) Step(work.engine, work.hops);
}

void DeviceWorker::Step(int engine, std::vector<HopTicket>& hops) {
  const DeviceEngine& device = services_.engines->at(engine);
  requests_.clear();
  for (const HopTicket& hop : hops) requests_.push_back(hop.request);
  const absl::Time begin = services_.clock->Now();
  const absl::Span<const absl::Status> statuses = device.engine->Step(requests_, *device.workspaces[number_]);
  const absl::Time end = services_.clock->Now();
  LoadMeter::Step step{.engine = engine, .streams = static_cast<int>(hops.size()), .begin = begin, .end = end};
  for (size_t i = 0; i < hops.size(); ++i) {
    const ReadyHop& ready = hops[i].ready;
    const absl::Duration queued = begin - ready.since;
    if (ready.qos == QualityOfService::kRealtime) step.CountLive(queued, ready.lag, ready.budget);
    hops[i].stream->HopDone(statuses[i], {.queued = queued, .computed = end - begin});
  }
  const ModelMetrics& metrics = *device.metrics;
  const absl::Duration hop = device.hop;
  // The last that is done with the engine: it may go as soon as its streams have.
  HandOver(hops, end);
  services_.load->Stepped(step);
  metrics.batch_size->Observe(static_cast<double>(step.streams));
  metrics.tick_seconds->Observe(absl::ToDoubleSeconds(end - begin));
  if (end - begin > hop) metrics.tick_overrun->Increment();
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

DeviceThreads::DeviceThreads(int threads, const DeviceServices& services) {
  DDSP_CHECK(threads <= services.engines->workers(), "every worker has workspaces of its own");
  for (int i = 0; i < threads; ++i) workers_.push_back(std::make_unique<DeviceWorker>(services, i));
  for (const auto& worker : workers_) {
    threads_.emplace_back([&worker = *worker] { worker.Run(); });
    pthread_setname_np(threads_.back().native_handle(), absl::StrCat("ddsp-device-", threads_.size() - 1).c_str());
  }
}

DeviceThreads::~DeviceThreads() {
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace ddsp::server
