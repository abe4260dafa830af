#include "worker/runners/voice_player.h"

#include <pthread.h>

#include <optional>
#include <thread>

#include "core/base/clock.h"
#include "core/base/status_macros.h"

namespace ddsp::worker {
namespace {

using client::StreamMessage;
using client::SynthesisStream;

absl::StatusOr<std::vector<float>> ReadAll(SynthesisStream& stream, StopToken& stop) {
  std::vector<float> audio;
  while (true) {
    if (stop.asked()) {
      stream.Cancel();
      return stop.status();
    }
    ASSIGN_OR_RETURN(const std::optional<StreamMessage> message, stream.Read());
    if (!message) return audio;
    const auto* block = std::get_if<client::AudioBlock>(&*message);
    if (block != nullptr) audio.insert(audio.end(), block->samples.begin(), block->samples.end());
  }
}

// A server that is full, restarts or drains answers otherwise later.
bool IsWorthWaiting(const absl::Status& error) {
  return client::IsPassing(error) || absl::IsResourceExhausted(error) || absl::IsAborted(error);
}

}  // namespace

template <typename Attempt>
auto VoicePlayer::Repeat(const Attempt& attempt, StopToken& stop) const -> decltype(attempt()) {
  client::Backoff backoff(retry_, 0);
  while (true) {
    RETURN_IF_ERROR(stop.status());
    auto result = attempt();
    if (result.ok() || !IsWorthWaiting(result.status())) return result;
    const std::optional<absl::Duration> pause = backoff.Next(result.status(), Clock::Steady().Now(), true);
    if (!pause) return result;
    if (stop.WaitFor(*pause)) return stop.status();
  }
}

absl::StatusOr<std::vector<float>> VoicePlayer::Play(const client::StreamOptions& options, const Writer& write,
                                                     StopToken& stop) const {
  const auto attempt = [&]() -> absl::StatusOr<std::vector<float>> {
    ASSIGN_OR_RETURN(const std::unique_ptr<SynthesisStream> stream, SynthesisStream::Open(channel_, options));
    std::thread writer([&] {
      pthread_setname_np(pthread_self(), "ddsp-input");
      // An error shows up at the reading side too.
      if (write(*stream).ok()) stream->Finish().IgnoreError();
    });
    absl::StatusOr<std::vector<float>> audio = ReadAll(*stream, stop);
    writer.join();
    return audio;
  };
  return Repeat(attempt, stop);
}

absl::StatusOr<int> VoicePlayer::RateOf(const client::StreamOptions& options, StopToken& stop) const {
  const auto attempt = [&]() -> absl::StatusOr<int> {
    ASSIGN_OR_RETURN(const std::unique_ptr<SynthesisStream> stream, SynthesisStream::Open(channel_, options));
    const int rate = stream->started().model_sample_rate;
    stream->Cancel();
    return rate;
  };
  return Repeat(attempt, stop);
}

}  // namespace ddsp::worker
