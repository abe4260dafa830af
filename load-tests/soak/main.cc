// ddsp-soak: a server under everything that clients do, for an hour.
// SIGINT or SIGTERM end it early; what was seen so far is judged.
// Exit codes: 0 passed, 1 could not be run, 2 usage, 3 failed.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "absl/synchronization/mutex.h"
#include "client/sdk/error.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "load-tests/soak/crash_dummy.h"
#include "load-tests/soak/soak_report.h"
#include "load-tests/soak/soak_run.h"

namespace ddsp::soak {
namespace {

constexpr int kPassed = 0, kNotRun = 1, kUsage = 2, kFailed = 3;

volatile std::sig_atomic_t interrupted = 0;

struct Options {
  SoakOptions soak;
  std::string recording, json;
  std::vector<std::string> only;
  std::string crash_dummy, voice;
};

absl::StatusOr<Scenarios> Chosen(const std::vector<std::string>& only) {
  Scenarios all = AllScenarios(), chosen;
  if (only.empty()) return all;
  for (const std::string& name : only) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Scenario& s) { return s.name == name; });
    if (found == all.end()) return absl::NotFoundError("there is no scenario " + name);
    chosen.push_back(*found);
  }
  return chosen;
}

absl::StatusOr<int> Run(Options options) {
  ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(options.recording));
  ASSIGN_OR_RETURN(options.soak.recording, ResampleFile(file.samples, file.sample_rate, 16000));
  ASSIGN_OR_RETURN(options.soak.scenarios, Chosen(options.only));
  options.soak.say = [](const std::string& line) { std::cout << line + "\n" << std::flush; };
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = 1; });
  options.soak.stop = [] { return interrupted != 0; };
  ASSIGN_OR_RETURN(const SoakReport report, RunSoak(options.soak));
  std::cout << TextOf(report) << std::flush;
  if (!options.json.empty()) RETURN_IF_ERROR(WriteFileAtomically(options.json, ToJson(report).dump(2) + "\n"));
  return report.passed() ? kPassed : kFailed;
}

void Declare(CLI::App& app, Options* options) {
  SoakOptions& soak = options->soak;
  app.add_option("--duration", soak.seconds, "Seconds")->check(CLI::Range(1.0, 1e7))->capture_default_str();
  app.add_option("--streams", soak.streams, "Live streams that are measured")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--clients", soak.clients, "Clients of all kinds at once")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seed", soak.seed, "Of who comes when, and what they do")->capture_default_str();
  app.add_option("--tempo", soak.tempo, "Of what takes clients as long as they like: 0.1 for a hurried run")
      ->check(CLI::Range(0.001, 100.0))
      ->capture_default_str();
  app.add_option("--only", options->only, "Kinds of clients; all, where none is named");
  app.add_option("--server-program", soak.server_program, "ddsp-server to start");
  app.add_option("--server-flag", soak.server_flags, "More flags of that server");
  app.add_option("--server-log", soak.server_log, "File for what that server writes");
  app.add_option("--model-repository", soak.repository, "Directory of voices")->capture_default_str();
  app.add_option("--recording", options->recording, "WAV or FLAC file that clients play");
  app.add_option("--json", options->json, "Also write the figures to this file");
  app.add_option("--crash-dummy", options->crash_dummy, "Play on the server at this address until killed")->group("");
  app.add_option("--voice", options->voice, "Of the crash dummy")->group("");
  app.final_callback([options] {
    if (!options->crash_dummy.empty()) return;
    if (options->soak.server_program.empty()) throw CLI::RequiredError("--server-program");
    if (options->recording.empty()) throw CLI::RequiredError("--recording");
  });
}

}  // namespace
}  // namespace ddsp::soak

int main(int argc, char** argv) {
  using namespace ddsp::soak;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  CLI::App app("A ddsp-server under everything that clients do.", "ddsp-soak");
  Options options;
  Declare(app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kPassed : kUsage;
  }
  if (!options.crash_dummy.empty()) return RunCrashDummy(options.crash_dummy, options.voice);
  options.soak.own_program = std::filesystem::read_symlink("/proc/self/exe");
  const absl::StatusOr<int> code = Run(std::move(options));
  if (code.ok()) return *code;
  std::cerr << "ddsp-soak: " << ddsp::client::Describe(code.status()) << "\n";
  return kNotRun;
}
