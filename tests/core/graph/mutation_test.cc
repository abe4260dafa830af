// No text may crash the front ends of graphs: stored graphs, changed at random, are read and checked.
#include <filesystem>
#include <random>

#include "core/base/file.h"
#include "core/gin/reader.h"
#include "core/graph/gin_graph.h"
#include "core/graph/proto_graph.h"
#include "core/graph/validated_graph.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

constexpr char kTextproto[] =
    "inputs: 'a' nodes { name: 'n' type: 'synths.FilteredNoise' inputs: 'a' numbers { key: 'n_samples' value: 320 } }\n"
    "nodes { name: 'l' type: 'layers.Dense' inputs: 'n/signal' outputs: 'z' numbers { key: 'units' value: 3 } }\n"
    "nodes { name: 's' type: 'losses.SpectralLoss' inputs: ['a', 'n/signal'] lists { key: 'fft_sizes' value { values: "
    "[64, 32] } } flags { key: 'x' value: true } texts { key: 'loss_type' value: 'L1' } }\n";

std::string Mutate(std::string text, std::mt19937& random) {
  const auto below = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  for (size_t changes = 1 + below(6); changes > 0; --changes) {
    const size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0: text.insert(at, 1, static_cast<char>(below(256))); break;
      case 1: text.erase(at, 1 + below(12)); break;
      case 2: text.insert(at, text.substr(below(text.size() + 1), below(30))); break;
      default: if (at < text.size()) text[at] = "'\"[](){}@%:,/.-0123456789"[below(25)];
    }
  }
  return text;
}

TEST(GraphMutation, NoGinCrashesTheReader) {
  std::mt19937 random(3);
  for (const auto& entry : std::filesystem::directory_iterator(DDSP_TESTDATA "/gin/graphs")) {
    const std::string seed = *ReadFile(entry.path().string());
    for (int round = 0; round < 300; ++round) {
      const auto config = gin::ParseConfig(Mutate(seed, random));
      if (!config.ok()) continue;
      const auto spec = GraphFromGin(*config);
      if (spec.ok()) ValidateGraphSpec(*spec, {.max_nodes = 100, .max_argument = 100000}).IgnoreError();
    }
  }
}

TEST(GraphMutation, NoTextprotoCrashesTheReader) {
  std::mt19937 random(4);
  for (int round = 0; round < 1000; ++round) {
    const auto spec = GraphFromText(Mutate(kTextproto, random));
    if (spec.ok()) ValidateGraphSpec(*spec, {.max_nodes = 100, .max_argument = 100000}).IgnoreError();
  }
}

}  // namespace
}  // namespace ddsp
