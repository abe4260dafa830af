#include "core/graph/graph_runner.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using testing::AllOf;
using testing::HasSubstr;

GraphSpec NoiseInARoom(int64_t samples = 320) {
  GraphSpec spec;
  spec.inputs = {"magnitudes"};
  spec.nodes = {{"noise", "synths.FilteredNoise", {{"n_samples", samples}}, {"magnitudes"}},
                {"room", "effects.Reverb", {{"trainable", true}, {"reverb_length", int64_t{100}}}, {"noise/signal"}}};
  return spec;
}

GraphRunner::Request Request() {
  GraphRunner::Request request;
  request.inputs["magnitudes"] = {{1, 10, 9}, std::vector<float>(90, 1)};
  request.parameters["room/ir"] = {{100}, std::vector<float>(100, .1f)};
  return request;
}

std::unique_ptr<GraphRunner> Runner(const GraphLimits& limits = {}) {
  auto runner = GraphRunner::Create(NoiseInARoom(), limits);
  EXPECT_TRUE(runner.ok()) << runner.status();
  return *std::move(runner);
}

std::string ErrorOf(const GraphRunner::Request& request) {
  return std::string(Runner()->Run(request).status().message());
}

TEST(GraphRunner, ReturnsTheOutputOrEverything) {
  const auto runner = Runner();
  GraphRunner::Request request = Request();
  const auto output = runner->Run(request);
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->size(), 3);
  EXPECT_EQ(output->at("out/signal").shape, (std::vector<int64_t>{1, 320}));
  request.results = GraphResults::kAll;
  const auto all = runner->Run(request);
  EXPECT_EQ(all->at("out/signal").values, output->at("out/signal").values);
  EXPECT_TRUE(all->contains("noise/controls/magnitudes"));
}

TEST(GraphRunner, TheSeedDecidesEverySample) {
  const auto runner = Runner();
  GraphRunner::Request request = Request();
  request.parameters.clear();
  const auto values = [&](uint64_t seed) {
    request.seed = seed;
    return runner->Run(request)->at("out/signal").values;
  };
  EXPECT_EQ(values(1), values(1));
  EXPECT_NE(values(1), values(2));
}

TEST(GraphRunner, NamesWhatDoesNotFit) {
  GraphRunner::Request request = Request();
  request.inputs.clear();
  EXPECT_THAT(ErrorOf(request), HasSubstr("graph input magnitudes is not given"));
  request = Request();
  request.inputs["magnitudes"].shape = {2, 10, 9};
  EXPECT_THAT(ErrorOf(request), HasSubstr("input magnitudes has 90 values, expected 180 for shape [2, 10, 9]"));
  request.inputs["magnitudes"].shape = {INT64_MAX, INT64_MAX};
  EXPECT_THAT(ErrorOf(request), HasSubstr("input magnitudes has shape"));
  request.inputs["magnitudes"].shape = {-1, -90};
  EXPECT_THAT(ErrorOf(request), HasSubstr("input magnitudes has shape"));
  request.inputs["magnitudes"].shape = {90};
  EXPECT_THAT(ErrorOf(request), HasSubstr("node noise: "));
  // No element, but strides that ATen cannot count.
  request.inputs["magnitudes"] = {{0, INT64_MAX, 2, 2}, {}};
  EXPECT_THAT(ErrorOf(request), HasSubstr("input magnitudes has shape"));
  request.inputs["magnitudes"] = {std::vector<int64_t>(17, 1), {1}};
  EXPECT_THAT(ErrorOf(request), HasSubstr("input magnitudes has 17 dimensions"));
}

TEST(GraphRunner, ChecksParametersBothWays) {
  GraphRunner::Request request = Request();
  request.parameters = {{"room/ir", {{3}, {1, 2, 3}}}};
  EXPECT_THAT(ErrorOf(request), HasSubstr("parameter room/ir has shape [3], expected [100]"));
  request.parameters = {{"hall/ir", {{1}, {1}}}};
  EXPECT_THAT(ErrorOf(request), HasSubstr("parameter hall/ir belongs to no node"));
  request.parameters = {{"room/other", {{1}, {1}}}};
  EXPECT_THAT(ErrorOf(request), HasSubstr("parameter room/ir is not given"));
}

TEST(GraphRunner, KeepsToItsLimits) {
  EXPECT_THAT(std::string(GraphRunner::Create(NoiseInARoom(), {.max_nodes = 1}).status().message()),
              HasSubstr("graph has 2 nodes, expected at most 1"));
  EXPECT_THAT(std::string(GraphRunner::Create(NoiseInARoom(), {.max_argument = 99}).status().message()),
              AllOf(HasSubstr("node noise: n_samples is 320, expected at most 99"),
                    HasSubstr("node room: reverb_length")));
  const auto status = Runner({.max_elements = 1000})->Run(Request()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected at most 1000"));
}

}  // namespace
}  // namespace ddsp
