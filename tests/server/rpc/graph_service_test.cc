#include "server/rpc/graph_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/cord.h"
#include "core/graph/gin_graph.h"
#include "core/graph/graph_runner.h"
#include "core/graph/proto_graph.h"
#include "core/gin/reader.h"
#include "google/rpc/error_details.pb.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kGin[] =
    "ProcessorGroup.dag = [\n"
    "  (@synths.FilteredNoise(), ['magnitudes']),\n"
    "  (@processors.Crop(), ['filtered_noise/signal']),\n"
    "]\n"
    "FilteredNoise.n_samples = 320\n"
    "Crop.frame_size = 20\n";

v1::RunGraphRequest NoiseRequest() {
  v1::RunGraphRequest request;
  request.set_gin(kGin);
  v1::Tensor& magnitudes = (*request.mutable_inputs())["magnitudes"];
  for (const int64_t size : {1, 10, 9}) magnitudes.add_shape(size);
  for (int i = 0; i < 90; ++i) magnitudes.add_values(1);
  request.set_seed(5);
  return request;
}

std::vector<std::string> ViolationsOf(const absl::Status& error) {
  google::rpc::BadRequest bad;
  std::vector<std::string> violations;
  const auto payload = error.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  if (!payload || !bad.ParseFromString(std::string(*payload))) return violations;
  for (const auto& violation : bad.field_violations()) {
    violations.push_back(violation.field() + ": " + violation.description());
  }
  return violations;
}

TEST(RunGraph, GivesWhatTheGraphGivesInProcess) {
  v1::RunGraphResponse response;
  v1::RunGraphRequest request = NoiseRequest();
  request.set_results(v1::GRAPH_RESULTS_ALL);
  ASSERT_TRUE(RunGraph(request, kGraphServiceLimits, &response).ok());
  GraphRunner::Request call;
  call.inputs["magnitudes"] = {{1, 10, 9}, std::vector<float>(90, 1)};
  call.seed = 5;
  call.results = GraphResults::kAll;
  const auto spec = GraphFromGin(*gin::ParseConfig(kGin));
  const auto expected = (*GraphRunner::Create(*spec))->Run(call);
  ASSERT_EQ(response.results_size(), static_cast<int>(expected->size()));
  for (const auto& [name, array] : *expected) {
    const v1::Tensor& tensor = response.results().at(name);
    EXPECT_EQ((std::vector<float>{tensor.values().begin(), tensor.values().end()}), array.values) << name;
  }
  v1::RunGraphRequest as_spec = request;
  *as_spec.mutable_spec() = GraphToProto(*spec);
  v1::RunGraphResponse again;
  ASSERT_TRUE(RunGraph(as_spec, kGraphServiceLimits, &again).ok());
  EXPECT_EQ(again.results().at("out/signal").SerializeAsString(),
            response.results().at("out/signal").SerializeAsString());
}

TEST(RunGraph, ReturnsTheOutputAloneUnlessAskedForMore) {
  v1::RunGraphResponse response;
  ASSERT_TRUE(RunGraph(NoiseRequest(), kGraphServiceLimits, &response).ok());
  EXPECT_EQ(response.results_size(), 2);
  EXPECT_THAT(response.results().at("out/signal").shape(), ElementsAre(1, 300));
}

TEST(RunGraph, EveryProblemIsAViolation) {
  v1::RunGraphRequest request = NoiseRequest();
  request.set_gin("ProcessorGroup.dag = [(@synths.Theremin(), ['a']),\n (@processors.Crop(), 3)]\nHarmonic.n = 3");
  v1::RunGraphResponse response;
  absl::Status error = RunGraph(request, kGraphServiceLimits, &response);
  EXPECT_EQ(ReasonOf(error), "INVALID_GRAPH");
  EXPECT_THAT(ViolationsOf(error), testing::Contains(HasSubstr("gin: gin:1:24: unknown configurable")));
  EXPECT_THAT(ViolationsOf(error), testing::Contains(HasSubstr("gin: gin:3:1: Harmonic has no parameter 'n'")));
  request.set_gin("include '/etc/passwd'");
  EXPECT_THAT(std::string(RunGraph(request, kGraphServiceLimits, &response).message()),
              HasSubstr("files cannot be included here"));
  request.clear_graph();
  EXPECT_EQ(ReasonOf(RunGraph(request, kGraphServiceLimits, &response)), "INVALID_GRAPH");
}

TEST(RunGraph, KeepsToItsLimits) {
  v1::RunGraphRequest request = NoiseRequest();
  request.set_gin(std::string(kGin) + "FilteredNoise.n_samples = 1000000000000\n");
  v1::RunGraphResponse response;
  const absl::Status error = RunGraph(request, kGraphServiceLimits, &response);
  EXPECT_EQ(ReasonOf(error), "INVALID_GRAPH");
  EXPECT_THAT(std::string(error.message()), HasSubstr("node filtered_noise: n_samples is 1000000000000"));
  EXPECT_EQ(ReasonOf(RunGraph(NoiseRequest(), {.max_elements = 1000}, &response)), "GRAPH_TOO_LARGE");
  EXPECT_EQ(ReasonOf(RunGraph(NoiseRequest(), {.max_nodes = 1}, &response)), "INVALID_GRAPH");
}

TEST(RunGraph, NamesTheInputThatDoesNotFit) {
  v1::RunGraphRequest request = NoiseRequest();
  (*request.mutable_inputs())["magnitudes"].set_shape(0, 3);
  v1::RunGraphResponse response;
  const absl::Status error = RunGraph(request, kGraphServiceLimits, &response);
  EXPECT_EQ(ReasonOf(error), "INVALID_GRAPH_INPUT");
  EXPECT_THAT(std::string(error.message()), HasSubstr("input magnitudes has 90 values, expected 270"));
  request.clear_inputs();
  EXPECT_THAT(std::string(RunGraph(request, kGraphServiceLimits, &response).message()),
              HasSubstr("graph input magnitudes is not given"));
}

}  // namespace
}  // namespace ddsp::server
