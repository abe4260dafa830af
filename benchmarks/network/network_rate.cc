// network_rate [--json FILE]: the decoder of each recipe at batch 64 and 128, in each arithmetic, beside the fastest
// multiplication of matrices of its shapes that this machine offers in it, one core, one run.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "benchmarks/network/gemm_rate.h"
#include "core/streaming/hop_controls.h"
#include "core/streaming/random_voice.h"

namespace ddsp::benchmarks {
namespace {

// Every multiplication of a hop, except those by a single number.
std::vector<GemmShape> ShapesOf(const Voice& voice, int streams) {
  std::vector<GemmShape> shapes;
  const int frames = voice.decoder_frames_per_hop();
  for (const auto& [name, shape] : DecoderWeights(voice.spec)) {
    if (name.find("kernel") == std::string::npos || shape[0] == 1) continue;
    // A frame's state needs the one before; all else is done for the frames of a hop together.
    const bool one_by_one = name.find("recurrent_kernel") != std::string::npos;
    const GemmShape gemm{one_by_one ? streams : streams * frames, shape[0], shape[1]};
    shapes.insert(shapes.end(), one_by_one ? frames : 1, gemm);
  }
  return shapes;
}

// The frames of controls of a hop of `streams` streams, as the engine makes them.
class Decoder {
 public:
  Decoder(const Voice& voice, int streams)
      : layout_(voice.spec.decoder()),
        step_(voice),
        controls_(voice, step_, layout_),
        streams_(streams),
        states_(streams * step_.state_size()) {}

  void Hop() {
    for (int begin = 0; begin < streams_; begin += HopControls::kMaxStreams) {
      const int count = std::min(HopControls::kMaxStreams, streams_ - begin);
      controls_.Begin(count);
      for (int i = 0; i < count; ++i) {
        controls_.SetStream(i, &states_[(begin + i) * step_.state_size()], false);
        for (int frame = 0; frame < controls_.frames_per_hop(); ++frame) {
          const HopControls::Heard heard = controls_.Frame(i, frame);
          for (int k = 0; k < step_.inputs(); ++k) heard.features[k] = 0.3f + 0.01f * static_cast<float>(i % 40);
          *heard.f0_hz = 220;
        }
      }
      controls_.Decode();
    }
  }

 private:
  const FrameLayout layout_;
  const DecoderStep step_;
  HopControls controls_;
  const int streams_;
  std::vector<float> states_;
};

nlohmann::json Measure(const Voice& voice, int streams, int rounds) {
  Decoder decoder(voice, streams);
  std::vector<std::function<void()>> calls = {[&] { decoder.Hop(); }};
  const std::vector<GemmShape> shapes = ShapesOf(voice, streams);
  std::map<std::string, std::vector<size_t>> calls_of_way;  // in the order of shapes
  for (const GemmShape& shape : shapes) {
    for (GemmWay& way : GemmWays(shape, voice.spec.decoder().arithmetic())) {
      calls_of_way[way.name].push_back(calls.size());
      calls.push_back(std::move(way.run));
    }
  }
  const std::vector<double> seconds = BestSeconds(calls, rounds);
  double flops = 0, best = 0;
  std::map<std::string, double> seconds_of_way;
  for (size_t i = 0; i < shapes.size(); ++i) {
    flops += shapes[i].flops();
    double fastest = 1e9;
    for (const auto& [name, indices] : calls_of_way) {
      seconds_of_way[name] += seconds[indices[i]];
      fastest = std::min(fastest, seconds[indices[i]]);
    }
    best += fastest;
  }
  nlohmann::json result = {{"recipe", voice.spec.recipe()},
                           {"arithmetic", voice.spec.decoder().arithmetic()},
                           {"streams", streams},
                           {"step_gflops", flops / seconds[0] / 1e9},
                           {"gemm_gflops", flops / best / 1e9},
                           {"share", best / seconds[0]},
                           {"step_us_per_stream", seconds[0] / streams * 1e6},
                           {"streams_by_gemm_alone", 0.02 * streams / best}};
  for (const auto& [name, sum] : seconds_of_way) result["gflops"][name] = flops / sum / 1e9;
  return result;
}

void Print(const nlohmann::json& row) {
  std::printf("%-16s %-8s %4d  step %6.1f GFLOP/s  GEMM %6.1f (", row["recipe"].get<std::string>().c_str(),
              row["arithmetic"].get<std::string>().c_str(), row["streams"].get<int>(), row["step_gflops"].get<double>(),
              row["gemm_gflops"].get<double>());
  const char* separator = "";
  for (const auto& [name, rate] : row["gflops"].items()) {
    std::printf("%s%s %.1f", separator, name.c_str(), rate.get<double>());
    separator = ", ";
  }
  std::printf(")  %.0f %%  %.1f us per stream and hop  GEMM alone: %.0f streams a core\n",
              100 * row["share"].get<double>(), row["step_us_per_stream"].get<double>(),
              row["streams_by_gemm_alone"].get<double>());
}

int Run(int argc, char** argv) {
  CLI::App app("The decoders of the published recipes beside the GEMM rate of this machine, one core");
  std::string json_file;
  int rounds = 15;
  app.add_option("--json", json_file, "Write the rows there too");
  app.add_option("--rounds", rounds, "The best of so many")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  nlohmann::json rows = nlohmann::json::array();
  for (const char* recipe : {"vst", "solo_instrument"}) {
    for (const char* arithmetic : {"float32", "int16"}) {
      const auto voice = MakeRandomVoice({.recipe = recipe, .name = "random", .arithmetic = arithmetic});
      if (!voice.ok()) {
        std::cerr << voice.status() << "\n";
        return 1;
      }
      for (const int streams : {64, 128}) {
        rows.push_back(Measure(*voice, streams, rounds));
        Print(rows.back());
      }
    }
  }
  if (!json_file.empty()) std::ofstream(json_file) << rows.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace ddsp::benchmarks

int main(int argc, char** argv) { return ddsp::benchmarks::Run(argc, argv); }
