#include <cmath>

#include "ddsp/v1/models.pb.h"
#include "ddsp/v1/sessions.pb.h"
#include "inference/grpc_service.grpc.pb.h"
#include "tests/server/kserve/infer_requests.h"
#include "tests/server/live/error_cases.h"

namespace ddsp::testing {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;

constexpr char kInfer[] = "/inference.GRPCInferenceService/ModelInfer",
               kMetadata[] = "/inference.GRPCInferenceService/ModelMetadata",
               kLoad[] = "/inference.GRPCInferenceService/RepositoryModelLoad";

Refused RefuseInfer(const ModelInferRequest& request, std::shared_ptr<void> held = nullptr) {
  return Refuse(kInfer, request, {}, std::move(held));
}

// A valid request but for this.
Refused RefuseChanged(const std::function<void(ModelInferRequest&)>& change) {
  ModelInferRequest request = Infer(Ramp(320));
  change(request);
  return RefuseInfer(request);
}

// A stream of sequences that ends with the first error.
class InferStream {
 public:
  explicit InferStream(ErrorRig& rig, const RawHttp2::Headers& headers = {}) {
    context_.AddMetadata("triton_grpc_error", "true");
    for (const auto& [name, value] : headers) context_.AddMetadata(name, value);
    stub_ = inference::GRPCInferenceService::NewStub(rig.channel());
    stream_ = stub_->ModelStreamInfer(&context_);
  }
  ~InferStream() {
    if (ended_) return;
    context_.TryCancel();
    End();
  }
  void Send(const ModelInferRequest& request) { stream_->Write(request); }
  void Ask(const ModelInferRequest& request) {
    Send(request);
    inference::ModelStreamInferResponse response;
    EXPECT_TRUE(stream_->Read(&response));
  }
  Ending End() {
    inference::ModelStreamInferResponse response;
    while (stream_->Read(&response)) continue;
    ended_ = true;
    const grpc::Status status = stream_->Finish();
    return EndingOf(status, context_);
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<ModelInferRequest, inference::ModelStreamInferResponse>> stream_;
  bool ended_ = false;
};

// Sequence 1 has begun; then comes this.
Ending BeginAndSend(ErrorRig& rig, const ModelInferRequest& request) {
  rig.Serve();
  InferStream stream(rig);
  stream.Ask(InferPart(1, Part::kStart, Ramp(320)));
  stream.Send(request);
  return stream.End();
}

Refused ServeSecured(ErrorRig& rig, RawHttp2::Headers headers) {
  rig.AskForKeys();
  rig.Serve();
  return Refuse(kInfer, Infer(Ramp(320)), std::move(headers));
}

// Two sequences of one stream.
std::shared_ptr<InferStream> PlayTwo(ErrorRig& rig, const RawHttp2::Headers& headers = {}) {
  auto stream = std::make_shared<InferStream>(rig, headers);
  for (int sequence = 1; sequence <= 2; ++sequence) stream->Ask(InferPart(sequence, Part::kStart, Ramp(320)));
  return stream;
}

inference::RepositoryModelLoadRequest LoadRequest(const std::string& model) {
  inference::RepositoryModelLoadRequest request;
  request.set_model_name(model);
  return request;
}

Ending KillASequence(ErrorRig& rig) {
  rig.Serve();
  InferStream stream(rig);
  stream.Ask(InferPart(1, Part::kStart, Ramp(320)));
  const auto sessions =
      rig.Ask<v1::ListSessionsResponse>("/ddsp.v1.Sessions/List", v1::ListSessionsRequest(), Refused::Port::kAdmin);
  EXPECT_EQ(sessions.sessions_size(), 1);
  v1::KillSessionRequest kill;
  kill.set_id(sessions.sessions(0).id());
  kill.set_reason("moving house");
  EXPECT_EQ(rig.Ask(RefuseAdmin("/ddsp.v1.Sessions/Kill", kill)).code, StatusCode::OK);
  return stream.End();
}

Ending SayNothing(ErrorRig& rig) {
  rig.options.limits.output_stall_timeout = absl::Hours(10000);  // the clock leaps while messages are on their way
  rig.Serve();
  InferStream stream(rig);
  stream.Ask(InferPart(1, Part::kStart, Ramp(320)));
  rig.clock.Advance(rig.options.limits.idle_timeout);
  rig.server->KeepHouse();
  return stream.End();
}

Ending SetPitchBeyondReason(ErrorRig& rig) {
  ModelInferRequest request = InferPart(1, Part::kMiddle, Ramp(320));
  AddPitch(1000, &request);
  return BeginAndSend(rig, request);
}

}  // namespace

std::vector<ErrorCase> InferenceErrors() {
  return {
      {.reason = "SESSION_SLOTS_EXHAUSTED",
       .code = StatusCode::UNAVAILABLE,
       .values = {"model", "slots"},
       .retry = absl::Seconds(1),
       .refuse =
           [](ErrorRig& rig) {
             rig.Serve();
             return RefuseInfer(Infer(Ramp(320)), PlayTwo(rig));
           }},
      {.reason = "SERVER_DRAINING",
       .code = StatusCode::UNAVAILABLE,
       .retry = absl::ZeroDuration(),
       .refuse =
           [](ErrorRig& rig) {
             rig.Serve();
             rig.server->BeginDrain();
             rig.closed = true;
             return RefuseInfer(Infer(Ramp(320)));
           }},
      {.reason = "MEMORY_EXHAUSTED",
       .code = StatusCode::UNAVAILABLE,
       .values = {"budget", "bytes", "used"},
       .retry = absl::Seconds(1),
       .refuse =
           [](ErrorRig& rig) {
             rig.options.memory_budget_bytes = 100;
             rig.closed = true;
             rig.Serve();
             return RefuseInfer(Infer(Ramp(320)));
           }},
      {.reason = "MODEL_NOT_FOUND",
       .code = StatusCode::NOT_FOUND,
       .values = {"model"},
       .refuse = WhileServing(RefuseChanged([](auto& request) { request.set_model_name("kazoo"); }))},
      {.reason = "MODEL_NOT_READY",
       .code = StatusCode::FAILED_PRECONDITION,
       .values = {"model", "version"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             v1::UnloadModelRequest unload;
             unload.set_name("models/violin");
             rig.Ask<v1::Model>("/ddsp.v1.Models/Unload", unload, Refused::Port::kAdmin);
             rig.closed = true;
             return RefuseInfer(Infer(Ramp(320)));
           }},
      {.reason = "INVALID_CONFIG",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"parameters.pitch_shift_semitones"},
       .refuse = WhileServing(RefuseChanged([](auto& request) { AddPitch(49, &request); }))},
      {.reason = "FORMAT_UNSUPPORTED",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"inputs[0].datatype"},
       .refuse = WhileServing(RefuseChanged([](auto& request) { request.mutable_inputs(0)->set_datatype("FP64"); }))},
      {.reason = "INPUT_MISMATCH",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"input"},
       .refuse = WhileServing(RefuseChanged([](auto& request) {
         request.clear_inputs();
         request.clear_raw_input_contents();
       }))},
      {.reason = "BLOCK_MALFORMED",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"input"},
       .refuse = WhileServing(RefuseChanged([](auto& request) { request.mutable_inputs(0)->add_shape(1); }))},
      {.reason = "AUDIO_NOT_FINITE",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"sample"},
       .refuse = WhileServing(RefuseInfer(Infer({0, NAN})))},
      {.reason = "MESSAGE_MALFORMED",
       .code = StatusCode::INVALID_ARGUMENT,
       .refuse = WhileServing(Refused{.method = kInfer, .message = "\x0a\x7f no such length"})},
      {.reason = "METHOD_NOT_FOUND",
       .code = StatusCode::UNIMPLEMENTED,
       .values = {"method"},
       .refuse = WhileServing(
           Refuse("/inference.GRPCInferenceService/SystemSharedMemoryStatus", inference::ServerLiveRequest()))},
      {.reason = "BLOCK_TOO_LARGE",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"bytes", "limit"},
       .act = [](ErrorRig& rig) { return BeginAndSend(rig, InferPart(1, Part::kMiddle, Ramp(16385))); }},
      {.reason = "SESSION_NOT_FOUND",
       .code = StatusCode::NOT_FOUND,
       .values = {"sequence_id"},
       .act = [](ErrorRig& rig) { return BeginAndSend(rig, InferPart(2, Part::kMiddle, Ramp(320))); }},
      {.reason = "SESSION_EXISTS",
       .code = StatusCode::ALREADY_EXISTS,
       .values = {"sequence_id"},
       .act = [](ErrorRig& rig) { return BeginAndSend(rig, InferPart(1, Part::kStart, Ramp(320))); }},
      {.reason = "INVALID_CONTROL",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"parameters.pitch_shift_semitones"},
       .act = SetPitchBeyondReason},
      {.reason = "MODEL_NUMERIC_FAULT",
       .code = StatusCode::INTERNAL,
       .act =
           [](ErrorRig& rig) {
             return BeginAndSend(rig, InferPart(1, Part::kMiddle, std::vector<float>(2000, kPoison)));
           }},
      {.reason = "DEVICE_FAULT",
       .code = StatusCode::INTERNAL,
       .act =
           [](ErrorRig& rig) {
             return BeginAndSend(rig, InferPart(1, Part::kMiddle, std::vector<float>(2000, kBroken)));
           }},
      {.reason = "SESSION_IDLE_TIMEOUT", .code = StatusCode::ABORTED, .values = {"idle_seconds"}, .act = SayNothing},
      {.reason = "SESSION_KILLED", .code = StatusCode::ABORTED, .values = {"operator_reason"}, .act = KillASequence},
      {.reason = "TOKEN_MISSING",
       .code = StatusCode::UNAUTHENTICATED,
       .refuse = [](ErrorRig& rig) { return ServeSecured(rig, {}); }},
      {.reason = "TOKEN_INVALID",
       .code = StatusCode::UNAUTHENTICATED,
       .refuse = [](ErrorRig& rig) { return ServeSecured(rig, With("nobody")); }},
      {.reason = "ROLE_MISSING",
       .code = StatusCode::PERMISSION_DENIED,
       .values = {"role", "tenant"},
       .refuse = [](ErrorRig& rig) { return ServeSecured(rig, With("publisher")); }},
      {.reason = "SESSION_QUOTA_EXCEEDED",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"limit", "tenant"},
       .quota_subject = "tenant:studio",
       .refuse =
           [](ErrorRig& rig) {
             rig.AskForKeys("max_sessions: 2");
             rig.options.max_sessions = 4;
             rig.Serve();
             rig.options.max_sessions = 2;  // as many as are to be there afterwards
             return Refuse(kInfer, Infer(Ramp(320)), With("player"), PlayTwo(rig, With("player")));
           }},
      {.reason = "CALL_QUOTA_EXCEEDED",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"limit", "tenant"},
       .quota_subject = "tenant:studio",
       .refuse =
           [](ErrorRig& rig) {
             rig.AskForKeys("max_calls: 1");
             rig.Serve();
             inference::ModelMetadataRequest request;
             request.set_name("violin");
             return Refuse(kMetadata, request, With("player"), PlayTwo(rig, With("player")));
           }},
      {.reason = "ADMIN_PORT_ONLY",
       .code = StatusCode::PERMISSION_DENIED,
       .refuse = WhileServing(Refuse(kLoad, LoadRequest("violin")))},
      {.reason = "INVALID_MODEL_REQUEST",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"model_name"},
       .refuse = WhileServingARepository(RefuseAdmin(kLoad, LoadRequest("Violin!")))},
      {.reason = "MODEL_LOAD_FAILED",
       .code = StatusCode::FAILED_PRECONDITION,
       .values = {"model", "version"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             rig.PublishDamaged(2);
             return RefuseAdmin(kLoad, LoadRequest("violin"));
           }},
  };
}

}  // namespace ddsp::testing
