// ddsp-chaos: live streams on two replicas, while these are restarted, killed, frozen, cannot write, or are far away.
//
// Each stream's answer is compared, sample for sample, with what the voice gives undisturbed.
// Exit codes: 0 ok, 1 something was lost, repeated or wrong, or a failure, 2 usage.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "tests/chaos/chaos_run.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {
namespace {

struct Options {
  std::string recordings, json, folder;
  std::vector<std::string> scenarios;
  ChaosOptions chaos;
};

absl::StatusOr<std::vector<std::vector<float>>> ReadRecordings(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".wav" || entry.path().extension() == ".flac") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) return absl::NotFoundError(absl::StrCat(folder, ": no recordings (*.wav, *.flac)"));
  std::vector<std::vector<float>> recordings;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(path));
    ASSIGN_OR_RETURN(recordings.emplace_back(), ResampleFile(file.samples, file.sample_rate, 16000));
  }
  return recordings;
}

nlohmann::json ToJson(const ChaosResult& result) {
  return {{"scenario", result.scenario},
          {"streams", result.streams},
          {"failed_streams", result.failed_streams},
          {"first_error", result.first_error},
          {"seconds", result.seconds},
          {"lost_samples", result.lost_samples},
          {"repeated_samples", result.repeated_samples},
          {"wrong_samples", result.wrong_samples},
          {"identical_streams", result.identical_streams},
          {"largest_difference", result.largest_difference},
          {"longest_gap_ms", result.longest_gap_ms},
          {"latest_block_ms", result.latest_block_ms},
          {"median_block_ms", result.median_block_ms},
          {"moves", result.moves},
          {"longest_detection_ms", result.longest_detection_ms},
          {"longest_reconnection_ms", result.longest_reconnection_ms},
          {"longest_replay_ms", result.longest_replay_ms},
          {"replayed_input_samples", result.replayed_input_samples},
          {"stalls", result.stalls},
          {"passed", result.passed()}};
}

std::string Row(const ChaosResult& result) {
  std::string row =
      absl::StrFormat("%-16s %7d %6d %9d %6d %10d %8.0f %8.0f %10.0f %6d\n", result.scenario, result.streams,
                      result.lost_samples, result.repeated_samples, result.wrong_samples, result.identical_streams,
                      result.longest_gap_ms, result.latest_block_ms, result.longest_detection_ms, result.moves);
  if (result.failed_streams > 0) {
    absl::StrAppend(&row, "  ", result.failed_streams, " streams ended with an error, the first with ",
                    result.first_error, "\n");
  }
  return row;
}

std::string Head() {
  return absl::StrFormat("%-16s %7s %6s %9s %6s %10s %8s %8s %10s %6s\n", "", "streams", "lost", "repeated", "wrong",
                         "identical", "gap ms", "late ms", "detect ms", "moves");
}

absl::StatusOr<bool> RunAll(const Options& options) {
  ASSIGN_OR_RETURN(const auto recordings, ReadRecordings(options.recordings));
  const TempDir scratch;
  nlohmann::json report = nlohmann::json::array();
  bool passed = true;
  std::cout << Head() << std::flush;
  for (const Scenario& scenario : Scenarios()) {
    const auto& wanted = options.scenarios;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), scenario.name) == wanted.end()) continue;
    ChaosOptions chaos = options.chaos;
    chaos.cluster.folder = (options.folder.empty() ? scratch.path() : options.folder) + "/" + scenario.name;
    std::filesystem::create_directories(chaos.cluster.folder);
    ASSIGN_OR_RETURN(const ChaosResult result, RunScenario(scenario, chaos, recordings));
    std::cout << Row(result) << std::flush;
    report.push_back(ToJson(result));
    passed &= result.passed();
  }
  if (!options.json.empty()) RETURN_IF_ERROR(WriteFileAtomically(options.json, report.dump(2) + "\n"));
  return passed;
}

void Declare(CLI::App& app, Options* options) {
  std::vector<std::string> names;
  std::string listed;
  for (const Scenario& scenario : Scenarios()) {
    names.push_back(scenario.name);
    absl::StrAppend(&listed, listed.empty() ? "" : "; ", scenario.name, ": ", scenario.what);
  }
  app.add_option("--scenario", options->scenarios, "All by default. " + listed)
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  app.add_option("--streams", options->chaos.streams, "Live streams at once")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--model", options->chaos.model, "Voice")->capture_default_str();
  app.add_option("--model-repository", options->chaos.cluster.repository, "Directory of voices")->required();
  app.add_option("--server-program", options->chaos.cluster.program, "ddsp-server")->required();
  app.add_option("--server-flag", options->chaos.cluster.flags, "More flags of both replicas");
  app.add_option("--recordings", options->recordings, "Folder of WAV or FLAC files")->required();
  app.add_option("--calm", options->chaos.calm_seconds, "Seconds before, between and after blows")
      ->check(CLI::Range(1.0, 600.0))
      ->capture_default_str();
  app.add_option("--work-dir", options->folder, "For logs and data of the replicas; a scratch folder by default");
  app.add_option("--json", options->json, "Also write the figures to this file");
}

}  // namespace
}  // namespace ddsp::testing

int main(int argc, char** argv) {
  using namespace ddsp::testing;
  // Debian's Abseil looks for deadlocks at every lock; the clients are to leave the machine to the servers.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  CLI::App app("Live streams on two replicas of ddsp-server that are ill-treated.", "ddsp-chaos");
  Options options;
  Declare(app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const absl::StatusOr<bool> passed = RunAll(options);
  if (!passed.ok()) std::cerr << "ddsp-chaos: " << passed.status() << "\n";
  return passed.value_or(false) ? 0 : 1;
}
