#include "server/scheduler/device_worker.h"

#include <pthread.h>

#include <utility>

namespace ddsp::server {

DeviceWorker::DeviceWorker(StreamScheduler& scheduler, std::vector<DeviceEngine> engines, const Clock& clock)
    : scheduler_(scheduler), engines_(std::move(engines)), clock_(clock) {
  for (const DeviceEngine& device : engines_) workspaces_.push_back(device.engine->MakeWorkspace());
}

void DeviceWorker::Run() {
  while (const std::optional<DeviceWork> work = scheduler_.Next()) Do(*work);
}

void DeviceWorker::Do(const DeviceWork& work) {
  const DeviceEngine& device = engines_[work.engine];
  for (const ResetTicket& ticket : work.resets) {
    ticket.stream->ResetDone(device.engine->Reset(ticket.slot, ticket.settings));
  }
  if (!work.hops.empty()) Step(work.engine, work.hops);
}

void DeviceWorker::Step(int engine, const std::vector<HopTicket>& hops) {
  const DeviceEngine& device = engines_[engine];
  requests_.clear();
  for (const HopTicket& hop : hops) requests_.push_back(hop.request);
  const absl::Time begin = clock_.Now();
  const absl::Span<const absl::Status> statuses = device.engine->Step(requests_, *workspaces_[engine]);
  const absl::Duration computed = clock_.Now() - begin;
  for (size_t i = 0; i < hops.size(); ++i) {
    hops[i].stream->HopDone(statuses[i], {.queued = begin - hops[i].ready.since, .computed = computed});
  }
  device.metrics->batch_size->Observe(static_cast<double>(hops.size()));
  device.metrics->tick_seconds->Observe(absl::ToDoubleSeconds(computed));
  const StreamFormat format = device.engine->format(StreamInput::kAudio);
  if (computed > absl::Seconds(1) * format.hop_size / format.sample_rate) device.metrics->tick_overrun->Increment();
}

DeviceThread::DeviceThread(DeviceWorker& worker) : thread_([&worker] { worker.Run(); }) {
  pthread_setname_np(thread_.native_handle(), "ddsp-device");
}

}  // namespace ddsp::server
