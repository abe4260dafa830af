// cuda_engine_benchmark [VOICE_DIR] [--device=N|cpu] [--threads=N] [--seconds=S] [--streams=N,N,...] [--json=FILE]
//
// How many live streams one GPU carries, with the transport simulated in process (benchmarks/README.md). Without a
// voice: the VST recipe at full size with random weights. Exits with 0 and a reason where there is no such device.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "benchmarks/cuda/paced_streams.h"
#include "core/base/status_macros.h"
#include "core/cuda/make_cuda_engine.h"
#include "core/streaming/voice_loader.h"
#include "nlohmann/json.hpp"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kTargetSeconds = 0.040;  // of the 99th percentile

struct Options {
  std::string voice;
  std::string device = "0";
  int threads = static_cast<int>(std::thread::hardware_concurrency());
  double seconds = 10;
  std::vector<int> streams = {500, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 10000, 12000};
  std::string json;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    absl::string_view word = argv[i];
    bool known = true;
    if (absl::ConsumePrefix(&word, "--device=")) {
      options.device = std::string(word);
    } else if (absl::ConsumePrefix(&word, "--threads=")) {
      known = absl::SimpleAtoi(word, &options.threads) && options.threads > 0;
    } else if (absl::ConsumePrefix(&word, "--seconds=")) {
      known = absl::SimpleAtod(word, &options.seconds) && options.seconds > 0;
    } else if (absl::ConsumePrefix(&word, "--json=")) {
      options.json = std::string(word);
    } else if (absl::ConsumePrefix(&word, "--streams=")) {
      options.streams.clear();
      for (const absl::string_view part : absl::StrSplit(word, ',')) {
        options.streams.push_back(0);
        known = known && absl::SimpleAtoi(part, &options.streams.back()) && options.streams.back() > 0;
      }
    } else if (absl::StartsWith(word, "-")) {
      known = false;
    } else {
      options.voice = std::string(word);
    }
    if (known) continue;
    std::fprintf(stderr, "cuda_engine_benchmark: %s makes no sense\n", argv[i]);
    std::exit(2);
  }
  return options;
}

absl::StatusOr<std::shared_ptr<const Voice>> ReadVoice(const Options& options) {
  if (!options.voice.empty()) return ReadBundle(options.voice);
  testing::TestVoiceOptions full;
  full.rnn_channels = 512;
  full.channels = 256;
  full.harmonics = 60;
  full.reverb_length = 24000;
  return std::make_shared<Voice>(testing::MakeTestVoice(full));
}

absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeEngine(const Options& options, int slots) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, ReadVoice(options));
  if (options.device == "cpu") return MakeVoiceEngine(voice, slots);
  int device = 0;
  if (!absl::SimpleAtoi(options.device, &device)) {
    return absl::InvalidArgumentError(absl::StrCat("--device=", options.device, " is neither a number nor cpu"));
  }
  return MakeCudaVoiceEngine(voice, {.device = device, .slots = slots, .threads = options.threads});
}

Json Level(const PacedFigures& figures, const PacedOptions& paced) {
  return {{"streams", paced.streams},
          {"duration_s", paced.seconds},
          {"p50_ms", 1e3 * figures.Quantile(0.5)},
          {"p95_ms", 1e3 * figures.Quantile(0.95)},
          {"p99_ms", 1e3 * figures.Quantile(0.99)},
          {"p999_ms", 1e3 * figures.Quantile(0.999)},
          {"mean_batch", figures.MeanBatch()},
          {"mean_step_ms", figures.steps == 0 ? 0 : 1e3 * figures.busy_s / static_cast<double>(figures.steps)},
          {"busy", figures.busy_s / paced.seconds},
          {"faults", figures.faults}};
}

int Run(const Options& options) {
  const std::vector<float> recording = testing::TestMelody(160000);
  Json result = {{"benchmark", "live streams in process, paced"},
                 {"device", options.device == "cpu" ? "cpu" : "cuda:" + options.device},
                 {"voice", options.voice.empty() ? "VST recipe, random weights" : options.voice},
                 {"threads", options.threads},
                 {"levels", Json::array()}};
  int highest = 0;
  for (const int streams : options.streams) {
    const auto engine = MakeEngine(options, streams);
    if (!engine.ok()) {
      std::printf("%d streams not run: %s\n", streams, engine.status().ToString().c_str());
      break;
    }
    const PacedOptions paced{.streams = streams, .seconds = options.seconds};
    const PacedFigures figures = RunPaced(**engine, recording, paced);
    Json level = Level(figures, paced);
    level["bytes_per_slot"] = (*engine)->bytes_per_slot();
    std::printf(
        "%6d streams: p50 %6.2f  p99 %6.2f  p99.9 %6.2f ms, steps of %5.0f take %6.2f ms, busy %.2f, %lld faults\n",
        streams, level["p50_ms"].get<double>(), level["p99_ms"].get<double>(), level["p999_ms"].get<double>(),
        figures.MeanBatch(), level["mean_step_ms"].get<double>(), level["busy"].get<double>(),
        static_cast<long long>(figures.faults));
    std::fflush(stdout);
    result["levels"].push_back(level);
    if (figures.faults > 0 || figures.Quantile(0.99) > kTargetSeconds) break;
    highest = streams;
  }
  result["highest_streams_p99_40ms"] = highest;
  std::printf("highest with p99 <= 40 ms: %d\n", highest);
  if (!options.json.empty() && !result["levels"].empty()) {
    std::ofstream(options.json) << result.dump(2) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace ddsp

int main(int argc, char** argv) { return ddsp::Run(ddsp::Parse(argc, argv)); }
