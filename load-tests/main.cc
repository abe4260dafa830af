// ddsp-loadtest: how many live streams a server carries, and how late its blocks are.
//
// Block latency is the time from the scheduled send of the message that completes an output block, given the session's
// algorithmic latency, to the receipt of that block. Clients send on schedule whatever comes back (open loop).
// Exit codes: 0 ok, 1 failure, 2 usage, 3 blocks too late or lost.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/sdk/error.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "load-tests/load_run.h"
#include "load-tests/server_process.h"

namespace ddsp::loadtest {
namespace {

constexpr int kOk = 0, kFailure = 1, kUsage = 2, kTooLate = 3;

struct Options {
  std::vector<int> streams = {32};
  std::string recordings, json, server_program, repository = "models", codec = "pcm";
  std::vector<std::string> server_flags;
  LoadOptions load;
};

absl::StatusOr<std::vector<std::vector<float>>> ReadRecordings(const std::string& place, int sample_rate) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  if (fs::is_directory(place)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(place)) {
      if (entry.path().extension() == ".wav" || entry.path().extension() == ".flac") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
  } else {
    paths.push_back(place);
  }
  if (paths.empty()) return absl::NotFoundError(absl::StrCat(place, ": no recordings (*.wav, *.flac)"));
  std::vector<std::vector<float>> recordings;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(path));
    ASSIGN_OR_RETURN(recordings.emplace_back(), ResampleFile(file.samples, file.sample_rate, sample_rate));
  }
  return recordings;
}

nlohmann::json ToJson(const LoadResult& result) {
  return {{"streams", result.streams},
          {"failed_streams", result.failed_streams},
          {"first_error", result.first_error},
          {"blocks", result.blocks},
          {"underruns", result.underruns},
          {"lost_samples", result.lost_samples},
          {"stalls", result.stalls},
          {"p50_ms", result.p50_ms},
          {"p95_ms", result.p95_ms},
          {"p99_ms", result.p99_ms},
          {"p999_ms", result.p999_ms},
          {"max_ms", result.max_ms},
          {"server_cores", result.server_cores},
          {"client_cores", result.client_cores},
          {"server_bytes", result.server_bytes},
          {"bytes_per_stream", result.bytes_per_stream}};
}

void PrintHead() {
  std::cout << "streams |   p50    p95    p99  p99.9    max ms | underruns  lost | server  client cores | KiB/stream\n";
}
void Print(const LoadResult& result) {
  std::cout << absl::StreamFormat(
      "%7d | %5.1f  %5.1f  %5.1f  %5.1f  %5.1f    | %9d %5d | %6.2f  %6.2f       | %10.0f\n", result.streams,
      result.p50_ms, result.p95_ms, result.p99_ms, result.p999_ms, result.max_ms, result.underruns, result.lost_samples,
      result.server_cores, result.client_cores, result.bytes_per_stream / 1024.0);
  if (result.failed_streams > 0) {
    std::cout << "        " << result.failed_streams << " streams failed: " << result.first_error << "\n";
  }
  std::cout << std::flush;
}

// One stream, as fast as the server lets it: what the first use costs is not counted against the streams that follow.
absl::StatusOr<double> FirstAudioSeconds(const Options& options, const std::vector<std::vector<float>>& recordings,
                                         std::chrono::steady_clock::time_point begin) {
  client::StreamOptions stream_options;
  stream_options.model = options.load.stream.model;
  ASSIGN_OR_RETURN(const auto stream, client::SynthesisStream::Open(options.load.server, stream_options));
  const absl::Span<const float> second = absl::MakeSpan(recordings[0]).subspan(0, options.load.stream.sample_rate);
  RETURN_IF_ERROR(stream->Write(second));
  RETURN_IF_ERROR(stream->Finish());
  std::optional<double> first;
  while (true) {
    ASSIGN_OR_RETURN(const auto message, stream->Read());
    if (!message) break;
    const auto* block = std::get_if<client::AudioBlock>(&*message);
    if (block != nullptr && !first) first = std::chrono::duration<double>(block->received - begin).count();
  }
  return first ? absl::StatusOr<double>(*first) : absl::DataLossError("the first stream brought no audio");
}

absl::StatusOr<int> Run(Options options) {
  options.load.stream.codec = options.codec == "opus" ? client::Codec::kOpus : client::Codec::kPcmFloat;
  ASSIGN_OR_RETURN(const auto recordings, ReadRecordings(options.recordings, options.load.stream.sample_rate));
  nlohmann::json figures = {
      {"codec", options.codec}, {"seconds", options.load.stream.seconds}, {"levels", nlohmann::json::array()}};
  std::unique_ptr<ServerProcess> server;
  const auto begin = std::chrono::steady_clock::now();
  if (options.load.server.empty()) {
    options.server_flags.push_back("--model-repository=" + options.repository);
    ASSIGN_OR_RETURN(server, ServerProcess::Start(options.server_program, options.server_flags));
    options.load.server = server->address();
    options.load.server_pid = server->pid();
  }
  ASSIGN_OR_RETURN(const double first_audio, FirstAudioSeconds(options, recordings, begin));
  if (server != nullptr) {
    std::cout << absl::StreamFormat("server start to first audio out: %.2f s\n", first_audio);
    figures["start_to_first_audio_s"] = first_audio;
  }
  PrintHead();
  bool passed = true;
  for (int streams : options.streams) {
    options.load.streams = streams;
    ASSIGN_OR_RETURN(const LoadResult result, RunLoad(options.load, recordings));
    Print(result);
    figures["levels"].push_back(ToJson(result));
    passed &= result.Passed(options.load.deadline_ms);
  }
  if (!options.json.empty()) RETURN_IF_ERROR(WriteFileAtomically(options.json, figures.dump(2) + "\n"));
  return passed ? kOk : kTooLate;
}

void Declare(CLI::App& app, Options* options) {
  LoadOptions& load = options->load;
  app.add_option("--streams,--ramp", options->streams, "Live streams at once; several numbers run one after the other")
      ->delimiter(',')
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--duration", load.stream.seconds, "Seconds of audio that each stream sends")
      ->check(CLI::Range(0.5, 1e6))
      ->capture_default_str();
  app.add_option("--model", load.stream.model, "Voice")->capture_default_str();
  app.add_option("--recordings", options->recordings, "WAV or FLAC file, or a folder of them")->required();
  app.add_option("--chunk-ms", load.stream.message_seconds, "Length of a message")
      ->transform([](const std::string& ms) { return std::to_string(std::stod(ms) / 1e3); })
      ->default_str("20");
  app.add_option("--codec", options->codec, "pcm (32-bit float) or opus")
      ->check(CLI::IsMember({"pcm", "opus"}))
      ->capture_default_str();
  app.add_option("--rate", load.stream.sample_rate, "Hz, both ways")
      ->check(CLI::Range(8000, 48000))
      ->capture_default_str();
  app.add_option("--deadline-ms", load.deadline_ms, "A later block is an underrun; p99 must not exceed it")
      ->capture_default_str();
  CLI::Option* address = app.add_option("--server", load.server, "HOST:PORT of a server that runs");
  CLI::Option* program =
      app.add_option("--server-program", options->server_program, "ddsp-server to start for the test");
  app.add_option("--model-repository", options->repository, "Directory of voices of that server")
      ->capture_default_str();
  app.add_option("--server-flag", options->server_flags, "More flags of that server");
  app.add_option("--json", options->json, "Also write the figures to this file");
  address->excludes(program);
  app.final_callback([options] {
    if (options->load.server.empty() && options->server_program.empty()) {
      throw CLI::RequiredError("--server or --server-program");
    }
  });
}

}  // namespace
}  // namespace ddsp::loadtest

int main(int argc, char** argv) {
  using namespace ddsp::loadtest;
  CLI::App app("Live streams against a ddsp-server, open loop.", "ddsp-loadtest");
  Options options;
  Declare(app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  const absl::StatusOr<int> code = Run(std::move(options));
  if (code.ok()) return *code;
  std::cerr << "ddsp-loadtest: " << ddsp::client::Describe(code.status()) << "\n";
  return kFailure;
}
