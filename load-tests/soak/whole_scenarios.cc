// Recordings and graphs in one message, right and wrong.
#include <cmath>

#include "client/sdk/unary_calls.h"
#include "core/base/status_macros.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/scenario.h"
#include "load-tests/soak/whole_requests.h"

namespace ddsp::soak {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

absl::Status Render(Visit& visit) {
  const v1::RenderRequest request = SomeRender(visit);
  const auto response = client::Render(visit.place().server, request, kPatience);
  RETURN_IF_ERROR(Expect(response.status(), {"OK"}));
  return ExpectCount("bytes", static_cast<int64_t>(request.audio().size()),
                     static_cast<int64_t>(response->audio().size()));
}

// With the statistics of the whole recording: the longer way.
absl::Status RenderAdjusted(Visit& visit) {
  v1::RenderRequest request = SomeRender(visit);
  request.mutable_config()->mutable_adjust()->set_autotune(visit.Real(0, 1));
  const auto response = client::Render(visit.place().server, request, kPatience);
  // What holds no note has nothing to be adjusted to.
  RETURN_IF_ERROR(Expect(response.status(), {"OK", "INVALID_CONFIG", "QUEUE_FULL"}));
  if (!response.ok()) return absl::OkStatus();
  return ExpectCount("bytes", static_cast<int64_t>(request.audio().size()),
                     static_cast<int64_t>(response->audio().size()));
}

absl::Status RenderWrong(Visit& visit) {
  v1::RenderRequest request = SomeRender(visit);
  const char* reason = "";
  switch (visit.Between(0, 3)) {
    case 0:
      request.mutable_config()->mutable_input_format()->set_encoding(v1::OPUS), reason = "FORMAT_UNSUPPORTED";
      break;
    case 1:
      request.mutable_config()->set_model("kazoo"), reason = "MODEL_NOT_FOUND";
      break;
    case 2:
      request.add_frames()->set_f0_hz(440), reason = "INVALID_CONFIG";
      break;
    default:
      request.mutable_audio()->append("x"), reason = "BLOCK_MALFORMED";
  }
  return Expect(client::Render(visit.place().server, request, kPatience).status(), {reason});
}

absl::Status Extract(Visit& visit) {
  const v1::ExtractRequest request = SomeExtract(visit);
  const auto response = client::ExtractFeatures(visit.place().server, request, kPatience);
  RETURN_IF_ERROR(Expect(response.status(), {"OK", "QUEUE_FULL"}));
  if (response.ok() && response->features().f0_hz().empty()) return absl::DataLossError("no features came");
  return absl::OkStatus();
}

absl::Status ExtractWrong(Visit& visit) {
  v1::ExtractRequest request = SomeExtract(visit);
  request.mutable_format()->set_sample_rate_hz(44100);
  return Expect(client::ExtractFeatures(visit.place().server, request, kPatience).status(),
                {"FORMAT_UNSUPPORTED", "QUEUE_FULL"});
}

absl::Status RunGraph(Visit& visit) {
  const auto response = client::RunGraph(visit.place().server, SomeGraph(visit), kPatience);
  RETURN_IF_ERROR(Expect(response.status(), {"OK", "QUEUE_FULL"}));
  if (response.ok() && !response->results().contains("out/signal"))
    return absl::DataLossError("the graph gave nothing");
  return absl::OkStatus();
}

absl::Status RunWrongGraph(Visit& visit) {
  v1::RunGraphRequest request = SomeGraph(visit);
  if (visit.Chance(0.5)) {
    request.mutable_gin()->append("Kazoo.pitch = 1\nProcessorGroup.dag = [(@Kazoo(), ['x'])]\n");
    return Expect(client::RunGraph(visit.place().server, request, kPatience).status(), {"INVALID_GRAPH", "QUEUE_FULL"});
  }
  (*request.mutable_inputs())["magnitudes"].set_shape(1, visit.OneOf({-1, 0, 1 << 30}));
  return Expect(client::RunGraph(visit.place().server, request, kPatience).status(),
                {"INVALID_GRAPH_INPUT", "QUEUE_FULL"});
}

}  // namespace

Scenarios WholeScenarios() {
  return {{"render", 30, Render},
          {"render-adjusted", 10, RenderAdjusted},
          {"render-wrong", 10, RenderWrong},
          {"extract", 15, Extract},
          {"extract-wrong", 5, ExtractWrong},
          {"graph", 15, RunGraph},
          {"graph-wrong", 10, RunWrongGraph}};
}

}  // namespace ddsp::soak
