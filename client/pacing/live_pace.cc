#include "client/pacing/live_pace.h"

#include <algorithm>

#include "core/base/integer.h"

namespace ddsp::client {

int64_t LivePace::messages() const { return CeilDiv(stream_.input_samples, stream_.message_samples); }

LivePace::Time LivePace::Due(int64_t message) const {
  const int64_t recorded = std::min((message + 1) * stream_.message_samples, stream_.input_samples);
  const std::chrono::duration<double> elapsed(static_cast<double>(recorded) / stream_.started.input.sample_rate);
  return stream_.start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(elapsed);
}

std::optional<int64_t> LivePace::CompletedBy(int64_t end) const {
  const StreamStarted& started = stream_.started;
  const int64_t made = end + started.output_codec_delay + started.latency_samples;
  int64_t needed = CeilDiv(made * started.input.sample_rate, started.output.sample_rate);
  if (started.input.codec == Codec::kOpus) {
    const int64_t packet = started.input.sample_rate * kOpusPacketMs / 1000;
    needed = CeilDiv(needed + started.input_codec_delay, packet) * packet;
  }
  if (needed > stream_.input_samples) return std::nullopt;
  return std::max<int64_t>(0, CeilDiv(needed, stream_.message_samples) - 1);
}

std::optional<std::chrono::duration<double>> LivePace::Latency(const AudioBlock& block) const {
  const std::optional<int64_t> message = CompletedBy(block.start_sample + static_cast<int64_t>(block.samples.size()));
  if (!message || block.samples.empty()) return std::nullopt;
  return block.received - Due(*message);
}

}  // namespace ddsp::client
