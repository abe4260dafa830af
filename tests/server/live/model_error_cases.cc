#include <filesystem>

#include "ddsp/v1/graph.pb.h"
#include "ddsp/v1/models.pb.h"
#include "tests/server/live/error_cases.h"

namespace ddsp::testing {
namespace {

using grpc::StatusCode;

constexpr char kRun[] = "/ddsp.v1.Graph/Run", kLoad[] = "/ddsp.v1.Models/Load";

// Noise of that many samples, filtered by `bands`.
v1::RunGraphRequest Noise(int64_t samples, int64_t bands) {
  v1::RunGraphRequest request;
  request.set_gin("ProcessorGroup.dag = [(@synths.FilteredNoise(), ['magnitudes'])]\nFilteredNoise.n_samples = " +
                  std::to_string(samples) + "\n");
  v1::Tensor& magnitudes = (*request.mutable_inputs())["magnitudes"];
  for (const int64_t size : {int64_t{1}, int64_t{1}, bands}) magnitudes.add_shape(size);
  for (int64_t i = 0; i < bands; ++i) magnitudes.add_values(1);
  return request;
}

Ending OutstayAVersion(ErrorRig& rig) {
  rig.options.limits.version_drain_timeout = absl::Seconds(1);
  rig.options.limits.idle_timeout = rig.options.limits.output_stall_timeout = absl::Hours(10000);
  rig.ServeRepository();
  const auto call = rig.Play();
  rig.Ask<v1::Model>("/ddsp.v1.Models/Unload", Naming<v1::UnloadModelRequest>("models/violin"), Refused::Port::kAdmin);
  rig.closed = true;
  return rig.PassTimeToTheEndOf(*call, absl::Seconds(1));
}

}  // namespace

std::vector<ErrorCase> ModelErrors() {
  return {
      {.reason = "VERSION_RETIRED",
       .code = StatusCode::UNAVAILABLE,
       .values = {"model", "version"},
       .retry = absl::ZeroDuration(),
       .act = OutstayAVersion},
      {.reason = "MODEL_NOT_READY",
       .code = StatusCode::FAILED_PRECONDITION,
       .values = {"model", "version"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             rig.Ask<v1::Model>("/ddsp.v1.Models/Unload", Naming<v1::UnloadModelRequest>("models/violin"),
                                Refused::Port::kAdmin);
             rig.closed = true;
             return Refuse("/ddsp.v1.Synthesis/StreamSession", Request(FloatConfig()));
           }},
      {.reason = "MODEL_LOAD_FAILED",
       .code = StatusCode::FAILED_PRECONDITION,
       .values = {"model", "version"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             rig.PublishDamaged(2);
             return RefuseAdmin(kLoad, Naming<v1::LoadModelRequest>("models/violin/versions/2"));
           }},
      {.reason = "INVALID_MODEL_REQUEST",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"name"},
       .refuse = WhileServingARepository(RefuseAdmin(kLoad, Naming<v1::LoadModelRequest>("violin")))},
      {.reason = "REPOSITORY_NOT_WRITABLE",
       .code = StatusCode::FAILED_PRECONDITION,
       .values = {"model"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             std::filesystem::create_directory(rig.options.model_repository + "/violin/aliases.textproto");
             auto request = Naming<v1::SetAliasRequest>("models/violin/aliases/best");
             request.set_version(1);
             return RefuseAdmin("/ddsp.v1.Models/SetAlias", request);
           }},
      {.reason = "QUEUE_FULL",
       .code = StatusCode::UNAVAILABLE,
       .values = {"waiting"},
       .retry = absl::Seconds(1),
       .refuse =
           [](ErrorRig& rig) {
             rig.options.max_waiting_calls = 0;
             rig.Serve();
             return Refuse(kRun, Noise(320, 9));
           }},
      {.reason = "INVALID_GRAPH",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"spec"},
       .refuse = WhileServing(Refuse(kRun, v1::RunGraphRequest()))},
      {.reason = "INVALID_GRAPH_INPUT",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"inputs"},
       .refuse =
           [](ErrorRig& rig) {
             rig.Serve();
             v1::RunGraphRequest request = Noise(320, 9);
             request.clear_inputs();
             return Refuse(kRun, request);
           }},
      {.reason = "GRAPH_TOO_LARGE",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .refuse = WhileServing(Refuse(kRun, Noise(int64_t{4} << 20, 65)))},
  };
}

}  // namespace ddsp::testing
