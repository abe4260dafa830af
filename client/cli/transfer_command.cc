#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/command.h"
#include "client/cli/repository_path.h"
#include "client/cli/transfer.h"
#include "client/flags/server_flags.h"
#include "client/sdk/error.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/wav.h"

namespace ddsp::client {
namespace {

constexpr int kMinStreamRate = 8000, kMaxStreamRate = 48000;

struct Options {
  std::string input, output, repository = DefaultRepository(), profile, json, codec = "pcm";
  TransferRequest request;
  LiveOptions live;
  double chunk_ms = 20;
  int rate = 0;
  TimbreAdjustOptions adjust;
  bool adjusted = false, no_tail = false, realtime = false, resume = false, sixteen_bit = false;
};

// The rate at which a recording of `rate` is streamed: its own where the stream has it.
int StreamRate(int rate, Codec codec) {
  if (codec != Codec::kOpus) return std::clamp(rate, kMinStreamRate, kMaxStreamRate);
  for (int opus_rate : {8000, 12000, 16000, 24000, 48000}) {
    if (opus_rate >= rate) return opus_rate;
  }
  return 48000;
}

// Options that mean something only with a server, or only without a live stream.
void CheckCombination(const Options& options) {
  if (options.live.server.empty() && options.codec == "opus") {
    throw CLI::ValidationError("--codec opus", "needs --server: in process nothing is coded");
  }
  if (!options.adjusted) return;
  if (options.resume) {
    throw CLI::ValidationError("--adjust", "goes in one message, which --resume has nothing to do with");
  }
  if (options.realtime || options.codec == "opus") {
    throw CLI::ValidationError(
        "--adjust",
        "needs the whole recording at once, which a live stream has not: without --realtime and --codec "
        "opus the server gets it in one message, and live a --profile takes its place");
  }
  if (!options.profile.empty()) {
    throw CLI::ValidationError("--adjust", "takes the place of --profile: give one of them");
  }
}

absl::Status Prepare(const AudioFile& file, int output_rate, Options* options) {
  TransferRequest& request = options->request;
  request.input_rate = StreamRate(file.sample_rate, options->live.codec);
  request.output_rate = StreamRate(output_rate, options->live.codec);
  request.tail = !options->no_tail;
  request.chunk_samples = std::max<int64_t>(1, std::llround(options->chunk_ms * request.input_rate / 1e3));
  ASSIGN_OR_RETURN(request.audio, ResampleFile(file.samples, file.sample_rate, request.input_rate));
  if (options->adjusted) request.adjust = options->adjust;
  if (!options->profile.empty()) {
    ASSIGN_OR_RETURN(request.profile, ReadProfile(options->profile));
  }
  return absl::OkStatus();
}

nlohmann::json MovesOf(const TransferResult& result) {
  nlohmann::json moves = nlohmann::json::array();
  for (const Resumption& move : result.moves) {
    moves.push_back({{"from", move.from},
                     {"to", move.to},
                     {"cause", Describe(move.cause)},
                     {"detection_ms", absl::ToDoubleMilliseconds(move.detection)},
                     {"reconnection_ms", absl::ToDoubleMilliseconds(move.reconnection)},
                     {"replay_ms", absl::ToDoubleMilliseconds(move.replay)},
                     {"replayed_input_samples", move.replayed_input},
                     {"repeated_output_samples", move.repeated_output},
                     {"from_snapshot", move.from_snapshot}});
  }
  return moves;
}

double Milliseconds(int64_t samples, int rate) { return 1e3 * static_cast<double>(samples) / rate; }

nlohmann::json Figures(const Options& options, const TransferResult& result) {
  const TransferRequest& request = options.request;
  nlohmann::json figures = {
      {"model", result.model},
      {"profile", result.profile},
      {"codec", options.codec},
      {"server", options.live.server.target},
      {"input_rate", request.input_rate},
      {"output_rate", request.output_rate},
      {"input_samples", request.audio.size()},
      {"output_samples", result.audio.size()},
      {"latency_samples", result.latency_samples},
      {"latency_ms", Milliseconds(result.latency_samples, request.output_rate)},
      {"seconds", result.seconds},
      {"realtime", options.realtime},
      {"real_time_factor", Milliseconds(request.audio.size(), request.input_rate) / 1e3 / result.seconds},
  };
  if (options.resume) figures["moves"] = MovesOf(result);
  if (result.block_latency) {
    figures["block_latency"] = {{"blocks", result.block_latency->blocks},
                                {"p50_ms", result.block_latency->p50_ms},
                                {"p99_ms", result.block_latency->p99_ms},
                                {"max_ms", result.block_latency->max_ms}};
  }
  return figures;
}

void Print(const Options& options, const TransferResult& result) {
  const TransferRequest& request = options.request;
  const double seconds = Milliseconds(request.audio.size(), request.input_rate) / 1e3;
  std::cout << absl::StreamFormat("%s -> %s: voice %s, profile %s, seed %d, pitch %+g semitones, loudness %+g dB\n",
                                  options.input, options.output, result.model, result.profile, request.seed,
                                  request.pitch_shift_semitones, request.loudness_shift_db);
  std::cout << absl::StreamFormat(
      "  %.2f s at %d Hz in, %.2f s at %d Hz out; algorithmic latency %d samples (%.1f ms)\n", seconds,
      request.input_rate, Milliseconds(result.audio.size(), request.output_rate) / 1e3, request.output_rate,
      result.latency_samples, Milliseconds(result.latency_samples, request.output_rate));
  for (const Resumption& move : result.moves) {
    std::cout << absl::StreamFormat(
        "  moved from %s to %s: %.0f ms to notice, %.0f to reconnect, %.0f to replay (%s)\n", move.from, move.to,
        absl::ToDoubleMilliseconds(move.detection), absl::ToDoubleMilliseconds(move.reconnection),
        absl::ToDoubleMilliseconds(move.replay), Describe(move.cause));
  }
  if (!result.block_latency) {
    std::cout << absl::StreamFormat("  %.3f s, %.1f x real time\n", result.seconds, seconds / result.seconds);
    return;
  }
  std::cout << absl::StreamFormat("  live, %s: block latency p50 %.1f ms, p99 %.1f ms, max %.1f ms over %d blocks\n",
                                  options.codec, result.block_latency->p50_ms, result.block_latency->p99_ms,
                                  result.block_latency->max_ms, result.block_latency->blocks);
}

absl::StatusOr<TransferResult> Transfer(const Options& options) {
  if (options.live.server.empty()) return TransferInProcess(options.request, options.repository);
  if (options.request.adjust) return TransferAtOnce(options.request, options.live.server);
  return TransferLive(options.request, options.live);
}

absl::Status Run(Options options) {
  options.live.codec = options.codec == "opus" ? Codec::kOpus : Codec::kPcmFloat;
  options.live.continuity = options.resume ? Continuity::kResume : Continuity::kOneServer;
  options.live.pace = options.realtime ? Pace::kRealTime : Pace::kAsFastAsPossible;
  ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(options.input));
  const int output_rate = options.rate > 0 ? options.rate : file.sample_rate;
  RETURN_IF_ERROR(Prepare(file, output_rate, &options));
  ASSIGN_OR_RETURN(const TransferResult result, Transfer(options));
  Wav wav{output_rate, 1, {}};
  ASSIGN_OR_RETURN(wav.samples, ResampleFile(result.audio, options.request.output_rate, output_rate));
  RETURN_IF_ERROR(WriteWav(options.output, wav, options.sixteen_bit ? WavEncoding::kPcm16 : WavEncoding::kFloat32));
  if (!options.json.empty())
    RETURN_IF_ERROR(WriteFileAtomically(options.json, Figures(options, result).dump(2) + "\n"));
  Print(options, result);
  return absl::OkStatus();
}

}  // namespace

Action DeclareTransfer(CLI::App& app) {
  auto options = std::make_shared<Options>();
  TransferRequest& request = options->request;
  app.add_option("IN", options->input, "Recording: WAV, FLAC, ..., 8 to 192 kHz")->required();
  app.add_option("OUT", options->output, "WAV file, lined up with the input")->required();
  app.add_option("--model", request.model, "Voice: NAME, NAME/VERSION or NAME@ALIAS")->capture_default_str();
  app.add_option("--model-repository", options->repository, "Directory of voices, in process")->capture_default_str();
  CLI::Option* server =
      AddServerFlags(app, &options->live.server,
                     "HOST:PORT of a ddsp-server: a live stream (with --adjust one message) instead of in process");
  app.add_option("--pitch-shift", request.pitch_shift_semitones, "Semitones")
      ->check(CLI::Range(-48.0, 48.0))
      ->capture_default_str();
  app.add_option("--loudness-shift", request.loudness_shift_db, "dB")
      ->check(CLI::Range(-60.0, 60.0))
      ->capture_default_str();
  app.add_option("--chunk-ms", options->chunk_ms, "Length of a message; does not change the samples")
      ->check(CLI::Range(0.01, 10000.0))
      ->capture_default_str();
  app.add_option("--codec", options->codec, "pcm (32-bit float) or opus")
      ->check(CLI::IsMember({"pcm", "opus"}))
      ->capture_default_str();
  app.add_flag("--realtime", options->realtime, "Send at live speed, and measure block latency")->needs(server);
  app.add_flag(
         "--resume", options->resume,
         "Where the server stops or dies, go on at the next one of HOST:PORT,HOST:PORT,... without losing a sample")
      ->needs(server);
  app.final_callback([options] { CheckCombination(*options); });
  app.add_option("--rate", options->rate, "Sample rate of OUT in Hz; the input's by default")
      ->check(CLI::Range(8000, 192000));
  app.add_option("--profile", options->profile, "Performer profile, as `ddsp profile` writes it; neutral by default");
  CLI::Option* adjust =
      app.add_flag("--adjust", options->adjusted,
                   "Fit register and dynamics to the voice with the statistics of the whole recording");
  app.add_option("--threshold", options->adjust.threshold, "Of the note detector")
      ->check(CLI::Range(0.0, 2.0))
      ->needs(adjust)
      ->capture_default_str();
  app.add_option("--quiet", options->adjust.quiet_db, "dB taken from what is no note")
      ->check(CLI::Range(0.0, 60.0))
      ->needs(adjust)
      ->capture_default_str();
  app.add_option("--autotune", options->adjust.autotune, "Share of the distance to the scale that is removed")
      ->check(CLI::Range(0.0, 1.0))
      ->needs(adjust)
      ->capture_default_str();
  app.add_option("--seed", request.seed, "Of the noise: the same seed gives the same samples")->capture_default_str();
  app.add_flag("--no-tail", options->no_tail, "Cut the reverb's tail: OUT is as long as IN");
  app.add_flag("--16-bit", options->sixteen_bit, "Write 16-bit samples instead of float");
  app.add_option("--json", options->json, "Also write the figures to this file");
  return [options] { return Run(*options); };
}

}  // namespace ddsp::client
