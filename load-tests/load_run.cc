#include "load-tests/load_run.h"

#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <thread>

#include "client/pacing/quantiles.h"
#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "load-tests/connection.h"
#include "load-tests/server_process.h"
#include "load-tests/troublemakers.h"

namespace ddsp::loadtest {
namespace {

using Clock = std::chrono::steady_clock;
using Streams = std::vector<std::unique_ptr<PacedStream>>;

constexpr int kOpenAtOnce = 8;
// With a server that does not answer.
constexpr std::chrono::seconds kPatience(30);

double OwnCpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// Cancels them and waits for their ends.
void EndAll(const Streams& streams, ClientLoop& loop) {
  for (const auto& stream : streams) stream->call().Cancel();
  loop.Run(std::chrono::hours(1), [&] {
    return std::all_of(streams.begin(), streams.end(), [](const auto& stream) { return stream->call().ended(); });
  });
}

bool IsRefusal(const absl::Status& status) {
  const auto details = client::DetailsOf(status);
  return details.has_value() && details->reason == "SESSION_SLOTS_EXHAUSTED";
}

// Fewer than were asked for when the server refuses some.
absl::StatusOr<Streams> OpenStreams(const LoadOptions& options, const std::vector<std::vector<float>>& recordings,
                                    std::mt19937_64& random, ClientLoop& loop) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  const int connections = options.connections > 0 ? options.connections : options.streams;
  for (int i = 0; i < std::min(connections, options.streams); ++i) {
    ASSIGN_OR_RETURN(channels.emplace_back(), Connect(options.server));
  }
  Streams streams;
  for (int i = 0; i < options.streams; ++i) {
    PacedStreamOptions stream = options.stream;
    stream.seed += i;
    const std::vector<float>& recording = recordings[i % recordings.size()];
    streams.push_back(std::make_unique<PacedStream>(loop, channels[i % channels.size()], stream, recording,
                                                    random() % recording.size()));
    // A few at a time: what is measured is not how fast they connect.
    const auto opening = [&] {
      return std::count_if(streams.begin(), streams.end(),
                           [](const auto& s) { return !s->call().started() && !s->call().ended(); });
    };
    const int most = i + 1 == options.streams ? 0 : kOpenAtOnce;
    if (!loop.Run(kPatience, [&] { return opening() <= most; })) EndAll(streams, loop);
  }
  absl::Status refusal;
  for (const auto& stream : streams) {
    if (!stream->call().ended()) continue;
    refusal = stream->call().status();
    if (!IsRefusal(refusal)) break;
  }
  std::erase_if(streams, [](const auto& stream) { return stream->call().ended(); });
  if (streams.empty() || !(refusal.ok() || IsRefusal(refusal))) {
    EndAll(streams, loop);
    return refusal.ok() ? absl::UnavailableError("the session ended before it started") : refusal;
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

// Wakes once in a millisecond, sends all that is due and takes all that has come. That makes a message late by up to a
// millisecond, and a block too, which counts: latency begins when the message was due and ends when the block is taken.
// A stream that fails is left alone: its end tells why.
void SendAll(const Streams& streams, ClientLoop& loop, const std::function<void(Clock::time_point)>& beside) {
  using Turn = std::pair<Clock::time_point, size_t>;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  for (size_t i = 0; i < streams.size(); ++i) turns.emplace(*streams[i]->NextDue(), i);
  loop.Run(
      std::chrono::hours(10000), [&] { return turns.empty(); },
      [&](Clock::time_point now) {
        while (!turns.empty() && turns.top().first <= now) {
          const size_t i = turns.top().second;
          turns.pop();
          if (!streams[i]->SendNext()) continue;
          if (const auto next = streams[i]->NextDue()) turns.emplace(*next, i);
        }
        beside(now);
      });
}

void FinishAll(const Streams& streams, ClientLoop& loop) {
  const auto ended = [&] {
    return std::all_of(streams.begin(), streams.end(), [](const auto& stream) { return stream->call().ended(); });
  };
  const bool done = loop.Run(kPatience, ended, [&](Clock::time_point) {
    for (const auto& stream : streams) stream->Finish();
  });
  if (!done) EndAll(streams, loop);
}

int64_t CountLate(const std::vector<double>& latencies_ms, double deadline_ms) {
  return std::count_if(latencies_ms.begin(), latencies_ms.end(), [&](double latency) { return latency > deadline_ms; });
}

// A stream's blocks come in order and are of one length.
void AddBySecond(const std::vector<double>& latencies_ms, double duration_s,
                 std::vector<std::vector<double>>* seconds) {
  for (size_t i = 0; i < latencies_ms.size(); ++i) {
    const size_t second =
        static_cast<size_t>(duration_s * static_cast<double>(i) / static_cast<double>(latencies_ms.size()));
    if (seconds->size() <= second) seconds->resize(second + 1);
    (*seconds)[second].push_back(latencies_ms[i]);
  }
}

void Collect(const Streams& streams, const LoadOptions& options, LoadResult* result) {
  std::vector<double> latencies_ms;
  std::vector<std::vector<double>> seconds;
  for (const auto& stream : streams) {
    const PacedStream::Outcome outcome = stream->TakeOutcome();
    if (!outcome.status.ok() && result->failed_streams++ == 0) result->first_error = client::Describe(outcome.status);
    result->lost_samples += outcome.lost_samples;
    result->stalls += outcome.stalls;
    latencies_ms.insert(latencies_ms.end(), outcome.latencies_ms.begin(), outcome.latencies_ms.end());
    AddBySecond(outcome.latencies_ms, options.stream.seconds, &seconds);
  }
  result->blocks = latencies_ms.size();
  result->underruns = CountLate(latencies_ms, options.deadline_ms);
  for (std::vector<double>& second : seconds) {
    result->seconds.push_back({.p50_ms = client::Quantile(second, 0.5),
                               .p99_ms = client::Quantile(second, 0.99),
                               .underruns = CountLate(second, options.deadline_ms)});
  }
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
  ClientLoop loop;
  std::optional<Latecomers> latecomers;
  if (options.latecomers > 0) {
    latecomers.emplace(
        loop, Latecomers::Options{options.server, options.stream.model, options.latecomers, options.jitter_seed});
    RETURN_IF_ERROR(latecomers->Connect());
  }
  ASSIGN_OR_RETURN(const Streams streams, OpenStreams(options, recordings, random, loop));
  std::optional<Troublemakers> trouble;
  if (options.troublemakers > 0) trouble.emplace(loop, options.server, options.stream.model, options.troublemakers);
  const ProcessUsage before = ServerUsage(options);
  const double own_before = OwnCpuSeconds();
  const Clock::time_point begin = Clock::now();
  BeginAll(streams, options.stream.message_seconds, random);
  SendAll(streams, loop, [&](Clock::time_point now) {
    if (trouble.has_value()) trouble->Act(now);
    if (latecomers.has_value()) latecomers->Act(now);
  });
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
  if (latecomers.has_value()) result.refusals = latecomers->Leave();
  FinishAll(streams, loop);
  Collect(streams, options, &result);
  return result;
}

absl::StatusOr<double> FirstAudioSeconds(const LoadOptions& options, const std::vector<float>& recording,
                                         Clock::time_point begin) {
  PacedStreamOptions one = options.stream;
  one.seconds = one.message_seconds = 1;
  ClientLoop loop;
  PacedStream stream(loop, client::MakeChannel(options.server), one, recording, 0);
  const auto settled = [&] { return stream.call().started() || stream.call().ended(); };
  if (!loop.Run(kPatience, settled)) stream.call().Cancel();
  if (stream.call().started()) {
    stream.Begin(Clock::now());
    stream.SendNext();
  }
  const bool done = loop.Run(
      kPatience, [&] { return stream.call().ended(); }, [&](Clock::time_point) { stream.Finish(); });
  if (!done) stream.call().Cancel();
  loop.Run(kPatience, [&] { return stream.call().ended(); });
  const PacedStream::Outcome outcome = stream.TakeOutcome();
  RETURN_IF_ERROR(outcome.status);
  if (!outcome.first_block) return absl::DataLossError("the first stream brought no audio");
  return std::chrono::duration<double>(*outcome.first_block - begin).count();
}

}  // namespace ddsp::loadtest
