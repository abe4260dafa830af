// Clients of the Open Inference Protocol.
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "inference/grpc_service.grpc.pb.h"
#include "load-tests/soak/infer_requests.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/scenario.h"

namespace ddsp::soak {
namespace {

using inference::GRPCInferenceService;

// One call of ModelStreamInfer; writing and reading wait.
class InferStream {
 public:
  explicit InferStream(Visit& visit) : stub_(GRPCInferenceService::NewStub(visit.Connect())) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ = stub_->ModelStreamInfer(&context_);
  }

  inference::ModelStreamInferResponse Ask(const inference::ModelInferRequest& request) {
    inference::ModelStreamInferResponse response;
    stream_->Write(request);
    if (!stream_->Read(&response)) response.set_error_message("the stream has ended");
    return response;
  }
  bool Send(const inference::ModelInferRequest& request) { return stream_->Write(request); }
  void Cancel() { context_.TryCancel(); }
  grpc::Status End() {
    stream_->WritesDone();
    inference::ModelStreamInferResponse response;
    while (stream_->Read(&response)) {
    }
    return stream_->Finish();
  }

 private:
  const std::unique_ptr<GRPCInferenceService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<inference::ModelInferRequest, inference::ModelStreamInferResponse>> stream_;
};

Part PartOf(int64_t request, int64_t last) {
  return request == last ? Part::kEnd : request == 0 ? Part::kStart : Part::kMiddle;
}

absl::Status PlaySequence(Visit& visit) {
  InferStream stream(visit);
  const std::string voice = visit.Voice();
  const int64_t sequence = visit.Between(1, 1'000'000), last = visit.Between(1, 40), samples = visit.OneOf({320, 1600});
  int64_t heard = 0;
  for (int64_t request = 0; request <= last; ++request) {
    const auto answer = stream.Ask(InferPart(voice, sequence, PartOf(request, last), visit.Music(samples)));
    if (!answer.error_message().empty()) return absl::InternalError(answer.error_message());
    heard += SamplesOf(answer.infer_response());
    if (visit.Chance(0.8)) Visit::Sleep(visit.Seconds(0, 0.1));
  }
  RETURN_IF_ERROR(Expect(stream.End(), {"OK"}));
  const int64_t sent = (last + 1) * samples;
  // The reverb rings out.
  if (heard < sent) return absl::DataLossError(absl::StrCat(heard, " samples for ", sent));
  return absl::OkStatus();
}

// Several of them on one stream, none of them ended.
absl::Status LeaveSequences(Visit& visit) {
  InferStream stream(visit);
  for (int64_t sequence = visit.Between(1, 4); sequence > 0; --sequence) {
    stream.Send(InferPart(visit.Voice(), sequence, Part::kStart, visit.Music(visit.Between(0, 3200))));
  }
  if (visit.Chance(0.5)) return Expect(stream.End(), {"OK"});
  Visit::Sleep(visit.Real(0, 0.1));
  stream.Cancel();
  return Expect(stream.End(), {"CANCELLED"});
}

absl::Status ForgetASequence(Visit& visit) {
  InferStream stream(visit);
  stream.Ask(InferPart(visit.Voice(), 5, Part::kStart, visit.Music(320)));
  // Its session is as idle as any other, and the stream is told.
  Visit::Sleep(9);
  const auto answer = stream.Ask(InferPart(visit.Voice(), 5, Part::kMiddle, visit.Music(320)));
  if (!absl::StartsWith(answer.error_message(), "SESSION_IDLE_TIMEOUT")) {
    return absl::InternalError(absl::StrCat("a forgotten sequence answers: ", answer.error_message()));
  }
  return Expect(stream.End(), {"OK"});
}

absl::Status SendWrongParts(Visit& visit) {
  InferStream stream(visit);
  const std::string voice = visit.Voice();
  stream.Ask(InferPart(voice, 1, Part::kStart, visit.Music(320)));
  for (int64_t faults = visit.Between(1, 5); faults > 0; --faults) {
    auto request = InferPart(voice, 1, Part::kMiddle, visit.Music(320));
    const char* reason = "";
    switch (visit.Between(0, 4)) {
      case 0:
        request.mutable_inputs(0)->set_datatype("INT16"), reason = "FORMAT_UNSUPPORTED";
        break;
      case 1:
        request.mutable_inputs(0)->set_shape(0, visit.OneOf({-1, 321, 1 << 30})), reason = "BLOCK_MALFORMED";
        break;
      case 2:
        (*request.mutable_parameters())["sequence_id"].set_int64_param(2), reason = "SESSION_NOT_FOUND";
        break;
      case 3:
        (*request.mutable_parameters())["sequence_start"].set_bool_param(true), reason = "SESSION_EXISTS";
        break;
      default:
        (*request.mutable_parameters())["swing"].set_bool_param(true), reason = "INVALID_CONFIG";
    }
    const auto answer = stream.Ask(request);
    if (!absl::StartsWith(answer.error_message(), reason)) {
      return absl::InternalError(absl::StrCat("'", answer.error_message(), "' instead of ", reason));
    }
  }
  const auto end = stream.Ask(InferPart(voice, 1, Part::kEnd, visit.Music(320)));
  if (!end.error_message().empty()) return absl::InternalError(end.error_message());
  return Expect(stream.End(), {"OK"});
}

absl::Status InferAtOnce(Visit& visit) {
  const auto stub = GRPCInferenceService::NewStub(visit.Connect());
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  const int64_t samples = visit.Between(0, 32000);
  RETURN_IF_ERROR(Expect(stub->ModelInfer(&context, Infer(visit.Voice(), visit.Music(samples)), &response), {"OK"}));
  if (SamplesOf(response) >= samples) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(SamplesOf(response), " samples for ", samples));
}

absl::Status InferWrong(Visit& visit) {
  const auto stub = GRPCInferenceService::NewStub(visit.Connect());
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  auto request = Infer(visit.Voice(), visit.Music(320));
  const char* reason = "AUDIO_NOT_FINITE";
  switch (visit.Between(0, 2)) {
    case 0:
      request = Infer(visit.Voice(), std::vector<float>{0, NAN});
      break;
    case 1:
      request.set_model_version("9"), reason = "MODEL_NOT_FOUND";
      break;
    default:
      request.clear_raw_input_contents(), request.clear_inputs(), reason = "INPUT_MISMATCH";
  }
  return Expect(stub->ModelInfer(&context, request, &response), {reason});
}

template <class Request, class Response>
absl::Status Ask(GRPCInferenceService::Stub& stub,
                 grpc::Status (GRPCInferenceService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 const Request& request = {}) {
  grpc::ClientContext context;
  Response response;
  return Expect((stub.*method)(&context, request, &response), {"OK"});
}

absl::Status AskAboutModels(Visit& visit) {
  using Stub = GRPCInferenceService::Stub;
  const auto stub = GRPCInferenceService::NewStub(visit.Connect());
  inference::ModelMetadataRequest metadata;
  metadata.set_name(visit.Voice());
  inference::ModelConfigRequest config;
  config.set_name(visit.Voice());
  RETURN_IF_ERROR((Ask<inference::ServerLiveRequest, inference::ServerLiveResponse>(*stub, &Stub::ServerLive)));
  RETURN_IF_ERROR((Ask<inference::ServerReadyRequest, inference::ServerReadyResponse>(*stub, &Stub::ServerReady)));
  RETURN_IF_ERROR(
      (Ask<inference::ServerMetadataRequest, inference::ServerMetadataResponse>(*stub, &Stub::ServerMetadata)));
  RETURN_IF_ERROR(
      (Ask<inference::ModelMetadataRequest, inference::ModelMetadataResponse>(*stub, &Stub::ModelMetadata, metadata)));
  RETURN_IF_ERROR(
      (Ask<inference::ModelConfigRequest, inference::ModelConfigResponse>(*stub, &Stub::ModelConfig, config)));
  RETURN_IF_ERROR(
      (Ask<inference::ModelStatisticsRequest, inference::ModelStatisticsResponse>(*stub, &Stub::ModelStatistics)));
  return Ask<inference::RepositoryIndexRequest, inference::RepositoryIndexResponse>(*stub, &Stub::RepositoryIndex);
}

}  // namespace

Scenarios KserveScenarios() {
  return {{"kserve-sequence", 40, PlaySequence},  {"kserve-leaves", 15, LeaveSequences},
          {"kserve-forgets", 4, ForgetASequence}, {"kserve-wrong-parts", 10, SendWrongParts},
          {"kserve-infer", 20, InferAtOnce},      {"kserve-infer-wrong", 10, InferWrong},
          {"kserve-asks", 15, AskAboutModels}};
}

}  // namespace ddsp::soak
