#include "load-tests/soak/performance.h"

#include <chrono>
#include <cmath>
#include <thread>

#include "client/sdk/output_blocks.h"
#include "core/base/status_macros.h"
#include "load-tests/soak/outcome.h"

namespace ddsp::soak {
namespace {

using Clock = std::chrono::steady_clock;

client::AudioFormat SomeFormat(Visit& visit) {
  if (visit.Chance(0.3)) return {client::Codec::kOpus, visit.OneOf({8000, 12000, 16000, 24000, 48000})};
  const client::Codec codec = visit.OneOf({client::Codec::kPcm16, client::Codec::kPcmFloat});
  return {codec, visit.OneOf({8000, 11025, 16000, 16000, 22050, 32000, 44100, 48000})};
}

client::Parameters SomeParameters(Visit& visit) {
  client::Parameters parameters;
  if (visit.Chance(0.7)) parameters.pitch_shift_semitones = visit.Real(-12, 12);
  if (visit.Chance(0.5)) parameters.loudness_shift_db = visit.Real(-20, 6);
  return parameters;
}

absl::Status SendAll(Visit& visit, const Performance& performance, client::SynthesisStream& stream, int* flushes) {
  const int rate = performance.options.input.sample_rate;
  const auto total = static_cast<int64_t>(performance.seconds * rate);
  const auto message = std::max<int64_t>(1, std::llround(performance.message_seconds * rate));
  const Clock::time_point begin = Clock::now();
  for (int64_t sent = 0; sent < total;) {
    const int64_t count = std::min(message, total - sent);
    if (performance.pace == Pace::kLive) {
      std::this_thread::sleep_until(begin + std::chrono::microseconds((sent + count) * 1'000'000 / rate));
    }
    if (visit.Chance(performance.flush_chance)) RETURN_IF_ERROR(stream.Flush(++*flushes));
    if (visit.Chance(performance.change_chance)) {
      RETURN_IF_ERROR(stream.ChangeParameters(sent, SomeParameters(visit)));
    }
    RETURN_IF_ERROR(stream.Write(visit.Music(count)));
    sent += count;
  }
  return stream.Finish();
}

}  // namespace

client::StreamOptions SomeOptions(Visit& visit) {
  client::StreamOptions options;
  options.model = visit.Voice();
  options.input = SomeFormat(visit);
  options.output = visit.Chance(0.6) ? options.input : SomeFormat(visit);
  options.tail = visit.OneOf({client::Tail::kCut, client::Tail::kRingOut});
  options.parameters = SomeParameters(visit);
  options.seed = visit.random()();
  return options;
}

absl::StatusOr<Heard> HearOut(client::SynthesisStream& stream) {
  Heard heard;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<client::StreamMessage> message, stream.Read());
    if (!message.has_value()) return heard;
    if (const auto* audio = std::get_if<client::AudioBlock>(&*message)) {
      heard.samples += static_cast<int64_t>(audio->samples.size());
    } else if (const auto* features = std::get_if<client::FeatureBlock>(&*message)) {
      heard.frames += static_cast<int64_t>(features->frames.size());
    } else if (const auto* event = std::get_if<client::StreamEvent>(&*message)) {
      heard.flushes += event->kind == client::StreamEvent::Kind::kFlushed;
    } else {
      heard.summary = true;
    }
  }
}

absl::Status Perform(Visit& visit, const Performance& performance) {
  ASSIGN_OR_RETURN(const auto stream, client::SynthesisStream::Open(visit.place().server, performance.options));
  int flushes = 0;
  RETURN_IF_ERROR(SendAll(visit, performance, *stream, &flushes));
  ASSIGN_OR_RETURN(const Heard heard, HearOut(*stream));
  RETURN_IF_ERROR(ExpectCount("marks of flushes", flushes, heard.flushes));
  RETURN_IF_ERROR(ExpectCount("summaries", 1, heard.summary));
  if (performance.options.answer != client::Answer::kAudio && heard.frames == 0) {
    return absl::DataLossError("no features came");
  }
  if (performance.options.answer == client::Answer::kFeatures) return absl::OkStatus();
  const auto sent = static_cast<int64_t>(performance.seconds * performance.options.input.sample_rate);
  return ExpectCount("samples", client::TotalOutput(stream->started(), performance.options.tail, sent), heard.samples);
}

}  // namespace ddsp::soak
