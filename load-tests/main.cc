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
#include "absl/synchronization/mutex.h"
#include "client/flags/server_flags.h"
#include "client/pacing/quantiles.h"
#include "client/sdk/error.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/thread_scheduling.h"
#include "load-tests/latency_plot.h"
#include "load-tests/load_report.h"
#include "load-tests/load_run.h"
#include "load-tests/ramp.h"
#include "load-tests/server_process.h"

namespace ddsp::loadtest {
namespace {

// Of p99 with as many clients again before the door to p99 without.
constexpr double kMostOverloadRatio = 1.1;
constexpr int kOk = 0, kFailure = 1, kUsage = 2, kTooLate = 3;

struct Options {
  std::vector<int> streams = {32};
  bool ramp = false;
  int most_streams = 1024;
  bool overload = false;
  int rounds = 3;
  std::string recordings, json, plot, server_program, repository = "models", codec = "pcm";
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

// Runs one level after the other and collects the figures.
class LoadTest {
 public:
  LoadTest(const Options& options, const std::vector<std::vector<float>>& recordings, LoadReport* report)
      : options_(options), recordings_(recordings), report_(*report) {}

  // Returns whether the level held.
  absl::StatusOr<bool> RunLevel(int streams, int troublemakers = 0, int latecomers = 0) {
    LoadOptions load = options_.load;
    load.streams = streams;
    load.troublemakers = troublemakers;
    load.latecomers = latecomers;
    ASSIGN_OR_RETURN(const LoadResult result, RunLoad(load, recordings_));
    std::cout << TableRow(result) << (latecomers > 0 ? TextOf(result.refusals) : "") << std::flush;
    report_.levels.push_back(result);
    return result.Passed(load.deadline_ms);
  }

  absl::StatusOr<bool> RunLevels() {
    bool passed = true;
    for (const int streams : options_.streams) {
      ASSIGN_OR_RETURN(const bool held, RunLevel(streams));
      passed &= held;
      report_.best = report_.levels.size() - 1;
    }
    return passed;
  }

  absl::StatusOr<bool> RunRamp() {
    Ramp ramp(options_.streams.front(), options_.most_streams);
    while (ramp.next() > 0) {
      ASSIGN_OR_RETURN(const bool held, RunLevel(ramp.next()));
      if (held) report_.best = report_.levels.size() - 1;
      ramp.Tell(held);
    }
    std::cout << "highest number of streams that holds " << options_.load.deadline_ms << " ms at p99: " << ramp.best()
              << "\n";
    return ramp.best() > 0;
  }

  // Once without them, once with them.
  absl::StatusOr<bool> RunWithTroublemakers() {
    const int streams = options_.streams.front();
    RETURN_IF_ERROR(RunLevel(streams).status());
    const double without = report_.levels.back().p99_ms;
    ASSIGN_OR_RETURN(const bool held, RunLevel(streams, options_.load.troublemakers));
    const double with = report_.levels.back().p99_ms;
    std::cout << absl::StreamFormat("%d troublemakers move p99 from %.2f to %.2f ms, %+.0f %%\n",
                                    options_.load.troublemakers, without, with, 100 * (with / without - 1));
    report_.p99_without_troublemakers_ms = without;
    report_.best = 1;
    return held;
  }

  // Pairs of levels: a full server, and the same with as many again before its door.
  absl::StatusOr<bool> RunOverload() {
    const int streams = options_.streams.front();
    std::vector<double> ratios;
    bool passed = true;
    for (int round = 0; round < options_.rounds; ++round) {
      ASSIGN_OR_RETURN(const bool held_alone, RunLevel(streams));
      const double alone = report_.levels.back().p99_ms;
      ASSIGN_OR_RETURN(const bool held, RunLevel(streams, /*troublemakers=*/0, /*latecomers=*/streams));
      const Refusals& refusals = report_.levels.back().refusals;
      passed = passed && held_alone && held && refusals.calls > 0 && refusals.slow == 0 && refusals.others == 0;
      ratios.push_back(report_.levels.back().p99_ms / alone);
    }
    report_.overload_p99_ratio = client::Quantile(ratios, 0.5);
    report_.best = report_.levels.size() - 1;
    std::cout << absl::StreamFormat(
        "twice as many clients as there is room for move p99 of those inside by %+.1f %% in the median of %d pairs\n",
        100 * (*report_.overload_p99_ratio - 1), options_.rounds);
    return passed && *report_.overload_p99_ratio <= kMostOverloadRatio;
  }

 private:
  const Options& options_;
  const std::vector<std::vector<float>>& recordings_;
  LoadReport& report_;
};

// Slots for everybody, unless the number was given: what is sought is what the machine holds. An overload is one beyond
// the slots.
void GiveSlots(Options* options) {
  for (const std::string& flag : options->server_flags) {
    if (flag.starts_with("--max-sessions")) return;
  }
  const int most =
      options->ramp ? options->most_streams : *std::max_element(options->streams.begin(), options->streams.end());
  const int slots = options->overload ? options->streams.front() : std::max(256, most + options->load.troublemakers);
  options->server_flags.push_back(absl::StrCat("--max-sessions=", slots));
}

absl::StatusOr<int> Run(Options options) {
  options.load.stream.codec = options.codec == "opus" ? client::Codec::kOpus : client::Codec::kPcmFloat;
  ASSIGN_OR_RETURN(const auto recordings, ReadRecordings(options.recordings, options.load.stream.sample_rate));
  LoadReport report{
      .codec = options.codec, .duration_s = options.load.stream.seconds, .deadline_ms = options.load.deadline_ms};
  std::unique_ptr<ServerProcess> server;
  const auto begin = std::chrono::steady_clock::now();
  if (options.load.server.empty()) {
    options.server_flags.push_back("--model-repository=" + options.repository);
    GiveSlots(&options);
    ASSIGN_OR_RETURN(server, ServerProcess::Start(options.server_program, options.server_flags));
    options.load.server = server->address();
    options.load.server_pid = server->pid();
  }
  // What is measured is how late the answers are, not how long the server keeps this process from reading them where
  // both share the processors.
  RunSoonAfterWaking();
  ASSIGN_OR_RETURN(const double first_audio, FirstAudioSeconds(options.load, recordings[0], begin));
  if (server != nullptr) {
    std::cout << absl::StreamFormat("server start to first audio out: %.2f s\n", first_audio);
    report.start_to_first_audio_s = first_audio;
    options.load.idle_bytes = UsageOf(server->pid()).value_or(ProcessUsage{}).resident_bytes;
  }
  std::cout << TableHead();
  LoadTest test(options, recordings, &report);
  ASSIGN_OR_RETURN(const bool passed, options.ramp                     ? test.RunRamp()
                                      : options.overload               ? test.RunOverload()
                                      : options.load.troublemakers > 0 ? test.RunWithTroublemakers()
                                                                       : test.RunLevels());
  if (!options.json.empty()) RETURN_IF_ERROR(WriteFileAtomically(options.json, ToJson(report).dump(2) + "\n"));
  if (!options.plot.empty()) {
    RETURN_IF_ERROR(DrawLatencies(report.levels, options.load.deadline_ms).SavePng(options.plot));
    std::cout << "latency against streams: " << options.plot << "\n";
  }
  return passed ? kOk : kTooLate;
}

void Declare(CLI::App& app, Options* options) {
  LoadOptions& load = options->load;
  app.add_option("--streams", options->streams,
                 "Live streams at once; several numbers run one after the other; with --ramp, the first to try")
      ->delimiter(',')
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_flag("--ramp", options->ramp, "Find the highest number of streams that holds the deadline");
  app.add_option("--max-streams", options->most_streams, "Of a ramp")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--connections", load.connections, "That streams share in turn; 0: each has its own")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  app.add_option("--patience", load.patience_s,
                 "Seconds for which whoever is refused comes again, when the server says")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--troublemakers", load.troublemakers,
                 "Run the first level twice, the second time with so many clients that misbehave")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_flag(
      "--overload", options->overload,
      "Run the first level on a server with no more slots, alone and with as many clients again that it refuses");
  app.add_option("--rounds", options->rounds, "Of --overload: pairs of levels, whose median counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--duration", load.stream.seconds, "Seconds of audio that each stream sends, at each level")
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
  CLI::Option* address = client::AddServerFlags(app, &load.server, "HOST:PORT of a server that runs");
  CLI::Option* program =
      app.add_option("--server-program", options->server_program, "ddsp-server to start for the test");
  app.add_option("--model-repository", options->repository, "Directory of voices of that server")
      ->capture_default_str();
  app.add_option("--server-flag", options->server_flags, "More flags of that server");
  app.add_option("--json", options->json, "Also write the figures to this file");
  app.add_option("--plot", options->plot, "Also draw latency against streams: a PNG file");
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
  // Debian's Abseil looks for deadlocks at every lock; the clients are to leave the machine to the server.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
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
