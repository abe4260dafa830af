// Streams, a scheduler's decisions and device workers in virtual time: thousands of streams, no thread, no sleep, the
// same result every time.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "server/scheduler/device_load.h"
#include "server/scheduler/ready_queue.h"
#include "server/session/audio_pace.h"

namespace ddsp::testing {

struct VirtualEngine {
  absl::Duration hop = absl::Milliseconds(20);
  server::StepCost cost;
};

struct VirtualStream {
  int engine = 0;
  server::QualityOfService qos = server::QualityOfService::kRealtime;
  absl::Duration budget = absl::Milliseconds(40);
  absl::Duration start;      // of its first message
  int hops_per_message = 1;  // a message comes when all its audio has been recorded
  int messages = 0;
};

class SimulatedDevice {
 public:
  SimulatedDevice(int workers, std::vector<VirtualEngine> engines, const server::BatchFormer::Options& options = {})
      : workers_(workers),
        engines_(std::move(engines)),
        queue_(options),
        load_({.workers = workers, .batches = options}, Hops(engines_), clock_) {
    for (size_t i = 0; i < engines_.size(); ++i) load_.SetCost(static_cast<int>(i), engines_[i].cost);
  }

  // Returns the stream's number.
  int Add(const VirtualStream& plan) {
    const absl::Duration hop = engines_[plan.engine].hop;
    streams_.push_back(std::make_unique<Stream>(Stream{.plan = plan, .pace = server::AudioPace(hop)}));
    const int number = static_cast<int>(streams_.size()) - 1;
    for (int i = 0; i < plan.messages; ++i) {
      At(clock_.Now() + plan.start + (i * plan.hops_per_message) * hop, [this, number] { Arrive(number); });
    }
    return number;
  }

  // Until nothing is left to do, or `limit` has passed.
  void Run(absl::Duration limit = absl::Hours(1)) {
    const absl::Time end = clock_.Now() + limit;
    while (!events_.empty() && events_.top().at <= end) {
      const Event event = events_.top();
      events_.pop();
      clock_.Advance(event.at - clock_.Now());
      event.happen();
      Dispatch();
    }
  }

  // From now on a step takes so many times its cost.
  void SlowDown(double factor) { slower_ = factor; }
  // The stream sends no more, and does not wait for what is not done.
  void Stop(int stream) { streams_[stream]->stopped = true; }

  // From the arrival of a hop's audio to its completion, of all hops that are done.
  const std::vector<absl::Duration>& latencies(int stream) const { return streams_[stream]->latencies; }
  absl::Time finished(int stream) const { return streams_[stream]->finished; }
  // Of the streams [first, end).
  absl::Duration Quantile(int first, int end, double q) const {
    std::vector<absl::Duration> all;
    for (int i = first; i < end; ++i) {
      all.insert(all.end(), streams_[i]->latencies.begin(), streams_[i]->latencies.end());
    }
    std::sort(all.begin(), all.end());
    return all.empty() ? absl::ZeroDuration() : all[std::min<size_t>(all.size() - 1, q * all.size())];
  }
  double mean_batch() const { return steps_ == 0 ? 0 : static_cast<double>(hops_) / steps_; }
  int64_t hops() const { return hops_; }
  int64_t wakes() const { return wakes_; }
  server::DeviceLoad& load() { return load_; }
  SimClock& clock() { return clock_; }

 private:
  struct Stream {
    VirtualStream plan;
    server::AudioPace pace;
    std::vector<absl::Time> waiting;  // arrivals of hops that are not done, oldest first
    size_t done = 0;
    bool submitted = false, stopped = false;
    std::vector<absl::Duration> latencies;
    absl::Time finished = absl::InfinitePast();
  };
  // Tells who was taken; the queue wants a stream.
  struct Token : server::ScheduledStream {
    explicit Token(int number) : number(number) {}
    void ResetDone(const absl::Status&) override {}
    void HopDone(const absl::Status&, const server::HopTiming&) override {}
    void AfterHop() override {}
    const int number;
  };
  struct Event {
    absl::Time at;
    int64_t order;
    std::function<void()> happen;
    bool operator<(const Event& other) const { return std::pair(other.at, other.order) < std::pair(at, order); }
  };

  static std::vector<absl::Duration> Hops(const std::vector<VirtualEngine>& engines) {
    std::vector<absl::Duration> hops;
    for (const VirtualEngine& engine : engines) hops.push_back(engine.hop);
    return hops;
  }

  void At(absl::Time at, std::function<void()> happen) { events_.push({at, order_++, std::move(happen)}); }

  void Arrive(int number) {
    Stream& stream = *streams_[number];
    if (stream.stopped) return;
    for (int i = 0; i < stream.plan.hops_per_message; ++i) stream.waiting.push_back(clock_.Now());
    if (!stream.submitted) Submit(number);
  }

  void Submit(int number) {
    Stream& stream = *streams_[number];
    stream.submitted = true;
    const server::AudioPace::Hop hop = stream.pace.Take(clock_.Now(), stream.waiting[stream.done]);
    const server::ReadyHop ready{.engine = stream.plan.engine,
                                 .qos = hop.ahead ? server::QualityOfService::kThroughput : stream.plan.qos,
                                 .since = clock_.Now(),
                                 .budget = stream.plan.budget,
                                 .lag = hop.lag};
    if (queue_.LatestStart(ready) < look_at_) look_at_ = clock_.Now();
    queue_.Add(server::HopTicket{.ready = ready, .request = {}, .stream = std::make_shared<Token>(number)});
  }

  // As StreamScheduler: nobody looks at a tick that is watched before it is over.
  void Dispatch() {
    while (busy_ < workers_ && (clock_.Now() >= look_at_ || queue_.full())) {
      server::DeviceWork work;
      look_at_ = queue_.Take(load_.ForTick(workers_ - busy_), clock_.Now(), &work);
      if (!work.hops.empty()) {
        Step(std::move(work));
      } else if (look_at_ != absl::InfiniteFuture()) {
        At(look_at_, [this] { ++wakes_; });
      }
    }
  }

  void Step(server::DeviceWork work) {
    ++busy_;
    ++steps_;
    hops_ += static_cast<int64_t>(work.hops.size());
    server::LoadMeter::Step step{.engine = work.engine,
                                 .streams = static_cast<int>(work.hops.size()),
                                 .begin = clock_.Now(),
                                 .end = clock_.Now() + slower_ * engines_[work.engine].cost.Of(work.hops.size())};
    std::vector<int> numbers;
    for (const server::HopTicket& hop : work.hops) {
      numbers.push_back(static_cast<const Token&>(*hop.stream).number);
      if (hop.ready.qos != server::QualityOfService::kRealtime) continue;
      step.CountLive(step.begin - hop.ready.since, hop.ready.lag, hop.ready.budget);
    }
    At(step.end, [this, step, numbers] {
      --busy_;
      look_at_ = clock_.Now();
      load_.Stepped(step);
      for (const int number : numbers) Done(number);
    });
  }

  void Done(int number) {
    Stream& stream = *streams_[number];
    stream.latencies.push_back(clock_.Now() - stream.waiting[stream.done++]);
    stream.finished = clock_.Now();
    stream.submitted = false;
    if (!stream.stopped && stream.done < stream.waiting.size()) Submit(number);
  }

  const int workers_;
  const std::vector<VirtualEngine> engines_;
  SimClock clock_;
  server::ReadyQueue queue_;
  server::DeviceLoad load_;
  std::priority_queue<Event> events_;
  std::vector<std::unique_ptr<Stream>> streams_;
  int64_t order_ = 0, steps_ = 0, hops_ = 0, wakes_ = 0;
  int busy_ = 0;
  double slower_ = 1;
  absl::Time look_at_ = absl::InfiniteFuture();  // nothing before that can start a step
};

}  // namespace ddsp::testing
