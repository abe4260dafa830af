#include "load-tests/load_run.h"

#include <sys/resource.h>

#include <algorithm>
#include <optional>

#include "client/pacing/quantiles.h"
#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "load-tests/paced_crowd.h"
#include "load-tests/server_process.h"
#include "load-tests/troublemakers.h"

namespace ddsp::loadtest {
namespace {

using Clock = std::chrono::steady_clock;

// With a server that does not answer.
constexpr std::chrono::seconds kPatience(30);

double OwnCpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int64_t CountLate(const std::vector<double>& latencies_ms, double deadline_ms) {
  return std::count_if(latencies_ms.begin(), latencies_ms.end(), [&](double latency) { return latency > deadline_ms; });
}

// A stream's blocks come in order and are of one length.
void AddBySecond(const std::vector<double>& latencies_ms, double blocks_a_second,
                 std::vector<std::vector<double>>* seconds) {
  for (size_t i = 0; i < latencies_ms.size(); ++i) {
    const size_t second = static_cast<size_t>(static_cast<double>(i) / blocks_a_second);
    if (seconds->size() <= second) seconds->resize(second + 1);
    (*seconds)[second].push_back(latencies_ms[i]);
  }
}

void Collect(const std::vector<PacedStream*>& streams, const LoadOptions& options, LoadResult* result) {
  std::vector<double> latencies_ms;
  std::vector<PacedStream::Outcome> outcomes;
  size_t most_blocks = 1;
  for (PacedStream* stream : streams) {
    const PacedStream::Outcome& outcome = outcomes.emplace_back(stream->TakeOutcome());
    most_blocks = std::max(most_blocks, outcome.latencies_ms.size());
    result->stalls += outcome.stalls;
    latencies_ms.insert(latencies_ms.end(), outcome.latencies_ms.begin(), outcome.latencies_ms.end());
    if (client::ReasonOf(outcome.status) == "SERVER_OVERLOADED") {
      ++result->sent_away;  // told where it stopped
      continue;
    }
    if (!outcome.status.ok() && result->failed_streams++ == 0) result->first_error = client::Describe(outcome.status);
    result->lost_samples += outcome.lost_samples;
  }
  std::vector<std::vector<double>> seconds;
  for (const PacedStream::Outcome& outcome : outcomes) {
    // Who was sent away played for a part of the time.
    AddBySecond(outcome.latencies_ms, static_cast<double>(most_blocks) / options.stream.seconds, &seconds);
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
  const ProcessUsage idle = ServerUsage(options);
  ClientLoop loop;
  std::optional<Latecomers> latecomers;
  if (options.latecomers > 0) {
    latecomers.emplace(
        loop, Latecomers::Options{options.server, options.stream.model, options.latecomers, options.jitter_seed});
    RETURN_IF_ERROR(latecomers->Connect());
  }
  PacedCrowd crowd(options, recordings, loop);
  RETURN_IF_ERROR(crowd.Open());
  std::optional<Troublemakers> trouble;
  if (options.troublemakers > 0) trouble.emplace(loop, options.server, options.stream.model, options.troublemakers);
  const ProcessUsage before = ServerUsage(options);
  const double own_before = OwnCpuSeconds();
  const Clock::time_point begin = Clock::now();
  crowd.Play([&](Clock::time_point now) {
    if (trouble.has_value()) trouble->Act(now);
    if (latecomers.has_value()) latecomers->Act(now);
  });
  const ProcessUsage after = ServerUsage(options);
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::vector<PacedStream*> streams = crowd.streams();
  LoadResult result;
  result.streams = options.streams;
  result.refused = options.streams - static_cast<int>(streams.size());
  result.server_cores = (after.cpu_seconds - before.cpu_seconds) / wall;
  result.client_cores = (OwnCpuSeconds() - own_before) / wall;
  result.server_bytes = after.resident_bytes;
  result.bytes_per_stream =
      (after.resident_bytes - options.idle_bytes.value_or(idle.resident_bytes)) / static_cast<int64_t>(streams.size());
  if (latecomers.has_value()) result.refusals = latecomers->Leave();
  crowd.Finish();
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
