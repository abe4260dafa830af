#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/cli/progress_bar.h"
#include "client/cli/transfer.h"
#include "client/cli/transfer_stream_options.h"
#include "client/pacing/live_pace.h"
#include "client/pacing/quantiles.h"
#include "client/sdk/resuming_stream.h"
#include "client/sdk/synthesis_stream.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

// Sends message after message, each when it is due. An error shows up at the reading side too.
template <typename Stream>
void WriteAll(const TransferRequest& request, const LivePace& schedule, Pace pace, Stream* stream) {
  const absl::Span<const float> audio = request.audio;
  for (int64_t k = 0; k < schedule.messages(); ++k) {
    if (pace == Pace::kRealTime) std::this_thread::sleep_until(schedule.Due(k));
    if (!stream->Write(audio.subspan(k * request.chunk_samples, request.chunk_samples)).ok()) return;
  }
  stream->Finish().IgnoreError();
}

BlockLatency Summarize(std::vector<double> latencies_ms) {
  BlockLatency latency;
  latency.blocks = latencies_ms.size();
  latency.p50_ms = Quantile(latencies_ms, 0.5);
  latency.p99_ms = Quantile(latencies_ms, 0.99);
  latency.max_ms = Quantile(latencies_ms, 1);
  return latency;
}

// Reads to the end into `result`; returns the latency of each block that the input completes, in milliseconds.
template <typename Stream>
absl::StatusOr<std::vector<double>> ReadAll(Stream& stream, const LivePace& schedule, int64_t expected,
                                            TransferResult* result) {
  ProgressBar bar("streaming");
  std::vector<double> latencies_ms;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<StreamMessage> message, stream.Read());
    if (!message) return latencies_ms;
    const auto* block = std::get_if<AudioBlock>(&*message);
    if (block == nullptr) continue;
    result->audio.insert(result->audio.end(), block->samples.begin(), block->samples.end());
    if (const auto latency = schedule.Latency(*block)) latencies_ms.push_back(1e3 * latency->count());
    bar.Show(static_cast<double>(result->audio.size()) / expected);
  }
}

// `Stream`: a SynthesisStream or a ResumingStream.
template <typename Stream>
absl::StatusOr<TransferResult> Play(const TransferRequest& request, const LiveOptions& options, Stream& stream) {
  const StreamStarted& started = stream.started();
  const auto begin = std::chrono::steady_clock::now();
  const LivePace schedule({begin, request.chunk_samples, static_cast<int64_t>(request.audio.size()), started});
  const int64_t expected = static_cast<int64_t>(request.audio.size()) * request.output_rate / request.input_rate +
                           (request.tail ? started.tail_samples : 0);
  TransferResult result;
  result.model = started.model;
  result.profile = started.profile;
  result.latency_samples = started.latency_samples;

  std::thread writer([&] { WriteAll(request, schedule, options.pace, &stream); });
  absl::StatusOr<std::vector<double>> latencies_ms = ReadAll(stream, schedule, expected, &result);
  writer.join();
  if (!latencies_ms.ok()) return latencies_ms.status();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (static_cast<int64_t>(result.audio.size()) != expected) {
    return absl::DataLossError(
        absl::StrCat(options.server.target, " sent ", result.audio.size(), " samples of ", expected));
  }
  if (options.pace == Pace::kRealTime) result.block_latency = Summarize(*std::move(latencies_ms));
  return result;
}

}  // namespace

absl::StatusOr<TransferResult> TransferLive(const TransferRequest& request, const LiveOptions& options) {
  const StreamOptions stream_options = ToStreamOptions(request, options.codec);
  if (options.continuity == Continuity::kOneServer) {
    ASSIGN_OR_RETURN(const std::unique_ptr<SynthesisStream> stream,
                     SynthesisStream::Open(options.server, stream_options));
    return Play(request, options, *stream);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<ResumingStream> stream, ResumingStream::Open(options.server, stream_options));
  ASSIGN_OR_RETURN(TransferResult result, Play(request, options, *stream));
  result.moves = stream->resumptions();
  return result;
}

}  // namespace ddsp::client
