#include "load-tests/load_run.h"

#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <thread>

#include "client/pacing/quantiles.h"
#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "load-tests/server_process.h"
#include "load-tests/troublemakers.h"

namespace ddsp::loadtest {
namespace {

using Clock = std::chrono::steady_clock;
using Streams = std::vector<std::unique_ptr<PacedStream>>;

double OwnCpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

bool IsRefusal(const absl::Status& status) {
  const auto details = client::DetailsOf(status);
  return details.has_value() && details->reason == "SESSION_SLOTS_EXHAUSTED";
}

// Fewer than were asked for when the server refuses some.
absl::StatusOr<Streams> OpenStreams(const LoadOptions& options, const std::vector<std::vector<float>>& recordings,
                                    std::mt19937_64& random) {
  Streams streams;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  const int connections = options.connections > 0 ? options.connections : options.streams;
  for (int i = 0; i < std::min(connections, options.streams); ++i) {
    channels.push_back(client::MakeChannel(options.server));
  }
  for (int i = 0; i < options.streams; ++i) {
    PacedStreamOptions stream = options.stream;
    stream.seed += i;
    const std::vector<float>& recording = recordings[i % recordings.size()];
    auto opened = PacedStream::Open(channels[i % channels.size()], stream, recording, random() % recording.size());
    if (opened.ok()) {
      streams.push_back(*std::move(opened));
    } else if (!IsRefusal(opened.status()) || (i + 1 == options.streams && streams.empty())) {
      return opened.status();
    }
  }
  return streams;
}

// Starts every stream at its own instant within one message, so that their messages do not come in one burst.
void BeginAll(const Streams& streams, double message_seconds, std::mt19937_64& random) {
  const Clock::time_point start = Clock::now() + std::chrono::milliseconds(50);
  std::uniform_real_distribution<double> offset(0, message_seconds);
  for (const auto& stream : streams) {
    stream->Begin(start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(offset(random))));
  }
}

// One thread sends for all streams: it wakes at most once in a millisecond and sends all that is due. That makes a
// message late by up to a millisecond, which counts, since latency begins when it was due. A stream that fails is left
// alone: its end tells why.
void SendAll(const Streams& streams) {
  using Turn = std::pair<Clock::time_point, size_t>;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  for (size_t i = 0; i < streams.size(); ++i) turns.emplace(*streams[i]->NextDue(), i);
  Clock::time_point wake = Clock::now();
  while (!turns.empty()) {
    wake = std::max(turns.top().first, wake + std::chrono::milliseconds(1));
    std::this_thread::sleep_until(wake);
    wake = Clock::now();
    while (!turns.empty() && turns.top().first <= wake) {
      const size_t i = turns.top().second;
      turns.pop();
      if (!streams[i]->SendNext().ok()) continue;
      if (const auto next = streams[i]->NextDue()) turns.emplace(*next, i);
    }
  }
}

void Collect(const Streams& streams, double deadline_ms, LoadResult* result) {
  std::vector<double> latencies_ms;
  for (const auto& stream : streams) {
    const PacedStream::Outcome outcome = stream->Finish();
    if (!outcome.status.ok() && result->failed_streams++ == 0) result->first_error = client::Describe(outcome.status);
    result->lost_samples += outcome.lost_samples;
    result->stalls += outcome.stalls;
    latencies_ms.insert(latencies_ms.end(), outcome.latencies_ms.begin(), outcome.latencies_ms.end());
  }
  result->blocks = latencies_ms.size();
  for (double latency : latencies_ms) result->underruns += latency > deadline_ms;
  result->p50_ms = client::Quantile(latencies_ms, 0.5);
  result->p95_ms = client::Quantile(latencies_ms, 0.95);
  result->p99_ms = client::Quantile(latencies_ms, 0.99);
  result->p999_ms = client::Quantile(latencies_ms, 0.999);
  result->max_ms = client::Quantile(latencies_ms, 1);
}

ProcessUsage ServerUsage(const LoadOptions& options) {
  if (!options.server_pid) return {};
  return UsageOf(*options.server_pid).value_or(ProcessUsage{});
}

}  // namespace

absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, const std::vector<std::vector<float>>& recordings) {
  std::mt19937_64 random(options.jitter_seed);
  const ProcessUsage idle = ServerUsage(options);
  ASSIGN_OR_RETURN(const Streams streams, OpenStreams(options, recordings, random));
  std::optional<Troublemakers> trouble;
  if (options.troublemakers > 0) trouble.emplace(options.server, options.stream.model, options.troublemakers);
  const ProcessUsage before = ServerUsage(options);
  const double own_before = OwnCpuSeconds();
  const Clock::time_point begin = Clock::now();
  BeginAll(streams, options.stream.message_seconds, random);
  SendAll(streams);
  const ProcessUsage after = ServerUsage(options);
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  LoadResult result;
  result.streams = options.streams;
  result.refused = options.streams - static_cast<int>(streams.size());
  result.server_cores = (after.cpu_seconds - before.cpu_seconds) / wall;
  result.client_cores = (OwnCpuSeconds() - own_before) / wall;
  result.server_bytes = after.resident_bytes;
  result.bytes_per_stream =
      (after.resident_bytes - options.idle_bytes.value_or(idle.resident_bytes)) / static_cast<int64_t>(streams.size());
  Collect(streams, options.deadline_ms, &result);
  return result;
}

}  // namespace ddsp::loadtest
