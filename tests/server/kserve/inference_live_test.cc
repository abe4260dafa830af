// The Open Inference Protocol against a server in this process: the wire, errors, and that slots come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "inference/grpc_service.grpc.pb.h"
#include "tests/server/kserve/infer_requests.h"
#include "tests/server/live/live_server.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelStreamInferResponse;

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&info)) break;
  }
  return info;
}

enum class Errors { kInBand, kStatus };

// One call of ModelStreamInfer. Writing and reading are blocking.
class InferStream {
 public:
  explicit InferStream(GRPCInferenceService::Stub& stub, Errors errors = Errors::kInBand) {
    if (errors == Errors::kStatus) context_.AddMetadata("triton_grpc_error", "true");
    stream_ = stub.ModelStreamInfer(&context_);
  }
  ~InferStream() {
    if (finished_) return;
    context_.TryCancel();
    Finish();
  }
  bool Send(const ModelInferRequest& request) { return stream_->Write(request); }
  std::optional<ModelStreamInferResponse> Read() {
    ModelStreamInferResponse response;
    if (!stream_->Read(&response)) return std::nullopt;
    return response;
  }
  ModelStreamInferResponse Ask(const ModelInferRequest& request) {
    Send(request);
    return Read().value_or(ModelStreamInferResponse());
  }
  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish() {
    while (Read().has_value()) ++unread_;
    finished_ = true;
    return stream_->Finish();
  }
  int unread() const { return unread_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<ModelInferRequest, ModelStreamInferResponse>> stream_;
  bool finished_ = false;
  int unread_ = 0;
};

class InferenceLiveTest : public ::testing::Test {
 protected:
  explicit InferenceLiveTest(int sessions = 4) : InferenceLiveTest(LocalOptions(sessions)) {}
  explicit InferenceLiveTest(const ServerOptions& options)
      : server_(*Server::Start(options, FakeVoices(options.max_sessions))),
        channel_(ChannelTo(server_->port())),
        stub_(GRPCInferenceService::NewStub(channel_)),
        native_(v1::Synthesis::NewStub(channel_)) {}
  // Every slot has come back; the server's end checks that each was given back once.
  ~InferenceLiveTest() override {
    server_->BeginDrain();
    server_->FinishDrain(absl::Seconds(10));
    EXPECT_EQ(server_->live_sessions(), 0);
  }

  grpc::Status Infer(const ModelInferRequest& request, inference::ModelInferResponse* response) {
    grpc::ClientContext context;
    return stub_->ModelInfer(&context, request, response);
  }
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (GRPCInferenceService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return (stub_.get()->*method)(&context, request, response);
  }

  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_;
  std::unique_ptr<v1::Synthesis::Stub> native_;
};

TEST_F(InferenceLiveTest, AStreamGivesTheSamplesOfTheNativeSurface) {
  const std::vector<float> samples = Ramp(5000);
  InferStream stream(*stub_);
  std::vector<float> heard;
  for (size_t at = 0; at < samples.size(); at += 700) {
    const Part part = at == 0 ? Part::kStart : at + 700 >= samples.size() ? Part::kEnd : Part::kMiddle;
    const ModelStreamInferResponse answer =
        stream.Ask(InferPart(3, part, absl::MakeConstSpan(samples).subspan(at, 700), std::to_string(at)));
    ASSERT_EQ(answer.error_message(), "");
    EXPECT_EQ(answer.infer_response().id(), std::to_string(at));
    EXPECT_EQ(answer.infer_response().model_name(), "violin");
    EXPECT_EQ(answer.infer_response().model_version(), "1");
    const std::vector<float> audio = AudioOf(answer.infer_response());
    heard.insert(heard.end(), audio.begin(), audio.end());
  }
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(stream.unread(), 0);
  EXPECT_EQ(heard, StreamThrough(*native_, FloatConfig(), samples, 320));
}

TEST_F(InferenceLiveTest, OneMessageGivesTheSamplesOfTheNativeSurface) {
  const std::vector<float> samples = Ramp(50000);
  inference::ModelInferResponse response;
  ASSERT_TRUE(Infer(testing::Infer(samples, "whole"), &response).ok());
  EXPECT_EQ(response.id(), "whole");
  EXPECT_EQ(AudioOf(response), StreamThrough(*native_, FloatConfig(), samples, 320));
}

TEST_F(InferenceLiveTest, ContentsAreAnsweredWithContents) {
  ModelInferRequest request = testing::Infer(Ramp(320));
  request.clear_raw_input_contents();
  for (const float sample : Ramp(320)) request.mutable_inputs(0)->mutable_contents()->add_fp32_contents(sample);
  inference::ModelInferResponse response, raw;
  ASSERT_TRUE(Infer(request, &response).ok());
  ASSERT_TRUE(Infer(testing::Infer(Ramp(320)), &raw).ok());
  EXPECT_EQ(response.raw_output_contents_size(), 0);
  EXPECT_EQ(AudioOf(response), AudioOf(raw));
}

TEST_F(InferenceLiveTest, SequencesOfOneStreamArePlayedSideBySide) {
  InferStream stream(*stub_);
  for (int sequence = 1; sequence <= 3; ++sequence) {
    EXPECT_EQ(stream.Ask(InferPart(sequence, Part::kStart, Ramp(200 * sequence))).error_message(), "");
  }
  EXPECT_EQ(server_->live_sessions(), 3);
  for (int sequence = 1; sequence <= 3; ++sequence) {
    const ModelStreamInferResponse answer = stream.Ask(InferPart(sequence, Part::kEnd, {}));
    EXPECT_EQ(static_cast<int64_t>(AudioOf(answer.infer_response()).size()), 200 * sequence + kVstFormat.tail);
  }
}

TEST_F(InferenceLiveTest, AnIdIsFreeAgainAfterItsEnd) {
  InferStream stream(*stub_);
  stream.Send(InferPart(1, Part::kStart, Ramp(320)));
  stream.Send(InferPart(1, Part::kEnd, Ramp(320)));
  // Not even its answer is awaited.
  stream.Send(InferPart(1, Part::kStart, Ramp(320)));
  stream.Send(InferPart(1, Part::kEnd, Ramp(320)));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(stream.Read()->error_message(), "") << i;
}

TEST_F(InferenceLiveTest, TwoStreamsDoNotKnowEachOthersSequences) {
  InferStream mine(*stub_), theirs(*stub_);
  EXPECT_EQ(mine.Ask(InferPart(1, Part::kStart, Ramp(320))).error_message(), "");
  EXPECT_THAT(theirs.Ask(InferPart(1, Part::kMiddle, Ramp(320))).error_message(),
              ::testing::StartsWith("SESSION_NOT_FOUND: "));
  EXPECT_EQ(theirs.Ask(InferPart(1, Part::kStart, Ramp(320))).error_message(), "");
}

// ---------------------------------------------------------------- errors

struct StreamFault {
  std::string name;
  ModelInferRequest request;
  std::string reason;
  grpc::StatusCode code;
};

ModelInferRequest With(ModelInferRequest request, const std::function<void(ModelInferRequest&)>& change) {
  change(request);
  return request;
}

std::vector<StreamFault> StreamFaults() {
  const std::vector<float> good = Ramp(320);
  const auto part = [&](int64_t sequence, Part what) { return InferPart(sequence, what, good, "bad"); };
  return {
      {"Dtype", With(part(1, Part::kMiddle), [](auto& r) { r.mutable_inputs(0)->set_datatype("INT16"); }),
       "FORMAT_UNSUPPORTED", grpc::StatusCode::INVALID_ARGUMENT},
      {"Shape", With(part(1, Part::kMiddle), [](auto& r) { r.mutable_inputs(0)->add_shape(1); }), "BLOCK_MALFORMED",
       grpc::StatusCode::INVALID_ARGUMENT},
      {"RawLength", With(part(1, Part::kMiddle), [](auto& r) { r.mutable_raw_input_contents(0)->resize(100); }),
       "BLOCK_MALFORMED", grpc::StatusCode::INVALID_ARGUMENT},
      {"RawAndContents",
       With(part(1, Part::kMiddle), [](auto& r) { r.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); }),
       "BLOCK_MALFORMED", grpc::StatusCode::INVALID_ARGUMENT},
      {"NoAudio", With(part(1, Part::kMiddle), [](auto& r) { r.clear_inputs(), r.clear_raw_input_contents(); }),
       "INPUT_MISMATCH", grpc::StatusCode::INVALID_ARGUMENT},
      {"NaN", InferPart(1, Part::kMiddle, {NAN, 0.0f}, "bad"), "AUDIO_NOT_FINITE", grpc::StatusCode::INVALID_ARGUMENT},
      {"TooLong", InferPart(1, Part::kMiddle, Ramp(16385), "bad"), "BLOCK_TOO_LARGE",
       grpc::StatusCode::INVALID_ARGUMENT},
      {"UnknownModel", With(part(2, Part::kStart), [](auto& r) { r.set_model_name("kazoo"); }), "MODEL_NOT_FOUND",
       grpc::StatusCode::NOT_FOUND},
      {"UnknownVersion", With(part(2, Part::kStart), [](auto& r) { r.set_model_version("9"); }), "MODEL_NOT_FOUND",
       grpc::StatusCode::NOT_FOUND},
      {"UnknownSequence", part(2, Part::kMiddle), "SESSION_NOT_FOUND", grpc::StatusCode::NOT_FOUND},
      {"EndOfAnUnknownSequence", part(2, Part::kEnd), "SESSION_NOT_FOUND", grpc::StatusCode::NOT_FOUND},
      {"SecondStart", part(1, Part::kStart), "SESSION_EXISTS", grpc::StatusCode::ALREADY_EXISTS},
      {"AnotherModel", With(part(1, Part::kMiddle), [](auto& r) { r.set_model_name("cello"); }), "INVALID_CONFIG",
       grpc::StatusCode::INVALID_ARGUMENT},
      {"UnknownParameter",
       With(part(1, Part::kMiddle), [](auto& r) { (*r.mutable_parameters())["swing"].set_bool_param(true); }),
       "INVALID_CONFIG", grpc::StatusCode::INVALID_ARGUMENT},
      {"UnknownOutput", With(part(1, Part::kMiddle), [](auto& r) { r.add_outputs()->set_name("f0"); }),
       "INVALID_CONFIG", grpc::StatusCode::INVALID_ARGUMENT},
      {"PitchOutOfRange", With(part(2, Part::kStart), [](auto& r) { AddPitch(49, &r); }), "INVALID_CONFIG",
       grpc::StatusCode::INVALID_ARGUMENT},
  };
}

// The sequence itself fails; all other faults are refused before they reach it.
bool EndsTheSequence(const StreamFault& fault) { return fault.name == "NaN"; }

class StreamFaultTest : public InferenceLiveTest, public ::testing::WithParamInterface<StreamFault> {};

TEST_P(StreamFaultTest, IsToldInBandAndTheStreamGoesOn) {
  const StreamFault& fault = GetParam();
  InferStream stream(*stub_);
  ASSERT_EQ(stream.Ask(InferPart(1, Part::kStart, Ramp(320))).error_message(), "");
  const ModelStreamInferResponse refusal = stream.Ask(fault.request);
  EXPECT_THAT(refusal.error_message(), ::testing::StartsWith(fault.reason + ": "));
  EXPECT_EQ(refusal.infer_response().id(), "bad");
  EXPECT_EQ(refusal.infer_response().outputs_size(), 0);
  const ModelStreamInferResponse after = stream.Ask(InferPart(1, Part::kEnd, Ramp(320)));
  if (EndsTheSequence(fault)) {
    EXPECT_THAT(after.error_message(), ::testing::StartsWith("SESSION_NOT_FOUND: "));
  } else {
    EXPECT_EQ(static_cast<int64_t>(AudioOf(after.infer_response()).size()), 640 + kVstFormat.tail);
  }
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_P(StreamFaultTest, EndsTheStreamWithCodeAndDetailsForWhoAsksForIt) {
  const StreamFault& fault = GetParam();
  InferStream stream(*stub_, Errors::kStatus);
  ASSERT_EQ(stream.Ask(InferPart(1, Part::kStart, Ramp(320))).error_message(), "");
  stream.Send(fault.request);
  EXPECT_EQ(stream.Read(), std::nullopt);
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), fault.code);
  EXPECT_THAT(status.error_message(), ::testing::StartsWith(fault.reason + ": "));
  EXPECT_EQ(InfoOf(status).reason(), fault.reason);
}

INSTANTIATE_TEST_SUITE_P(Each, StreamFaultTest, ::testing::ValuesIn(StreamFaults()),
                         [](const auto& info) { return info.param.name; });

// What is about sequences and their parts has no meaning for a whole recording.
std::vector<StreamFault> RecordingFaults() {
  std::vector<StreamFault> faults;
  for (StreamFault& fault : StreamFaults()) {
    const bool of_sequences = fault.name == "TooLong" || fault.name == "AnotherModel" ||
                              fault.reason == "SESSION_NOT_FOUND" || fault.reason == "SESSION_EXISTS";
    if (!of_sequences) faults.push_back(std::move(fault));
  }
  return faults;
}

class RecordingFaultTest : public InferenceLiveTest, public ::testing::WithParamInterface<StreamFault> {};

TEST_P(RecordingFaultTest, IsAStatusOfModelInfer) {
  ModelInferRequest request = GetParam().request;
  for (const char* name : {"sequence_id", "sequence_start", "sequence_end"}) request.mutable_parameters()->erase(name);
  inference::ModelInferResponse response;
  const grpc::Status status = Infer(request, &response);
  EXPECT_EQ(status.error_code(), GetParam().code);
  EXPECT_EQ(InfoOf(status).reason(), GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(Each, RecordingFaultTest, ::testing::ValuesIn(RecordingFaults()),
                         [](const auto& info) { return info.param.name; });

TEST_F(InferenceLiveTest, ARecordingBeyondAMessageIsRefused) {
  inference::ModelInferResponse response;
  EXPECT_EQ(Infer(testing::Infer(Ramp(1100000)), &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(InferenceLiveTest, APartOfASequenceHasNoPlaceInModelInfer) {
  inference::ModelInferResponse response;
  const grpc::Status status = Infer(InferPart(1, Part::kStart, Ramp(320)), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(InfoOf(status).reason(), "INVALID_CONFIG");
  EXPECT_TRUE(Infer(InferPart(1, Part::kWhole, Ramp(320)), &response).ok());
}

TEST_F(InferenceLiveTest, NoSlotIsARefusalWithAHint) {
  InferStream holder(*stub_);
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(holder.Ask(InferPart(i, Part::kStart, Ramp(320))).error_message(), "");
  EXPECT_THAT(holder.Ask(InferPart(5, Part::kStart, Ramp(320))).error_message(),
              ::testing::StartsWith("SESSION_SLOTS_EXHAUSTED: "));
  inference::ModelInferResponse response;
  const grpc::Status status = Infer(testing::Infer(Ramp(320)), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(InfoOf(status).reason(), "SESSION_SLOTS_EXHAUSTED");
  holder.Ask(InferPart(5, Part::kStart, Ramp(320)));
  EXPECT_NE(holder.Ask(InferPart(1, Part::kEnd, Ramp(320))).infer_response().outputs_size(), 0);
}

// ---------------------------------------------------------------- ends

TEST_F(InferenceLiveTest, SequencesEndWithTheStream) {
  {
    InferStream stream(*stub_);
    for (int i = 1; i <= 4; ++i) stream.Ask(InferPart(i, Part::kStart, Ramp(3200)));
    stream.HalfClose();
    EXPECT_TRUE(stream.Finish().ok());
  }
  EXPECT_EQ(server_->live_sessions(), 0);
}

TEST_F(InferenceLiveTest, WhatCameBeforeTheHalfCloseIsAnswered) {
  InferStream stream(*stub_);
  stream.Send(InferPart(1, Part::kStart, Ramp(16000)));
  for (int i = 0; i < 5; ++i) stream.Send(InferPart(1, Part::kMiddle, Ramp(16000)));
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(stream.unread(), 6);
}

TEST_F(InferenceLiveTest, ACancelledStreamFreesItsSlots) {
  for (int round = 0; round < 20; ++round) {
    InferStream stream(*stub_);
    for (int i = 1; i <= 4; ++i) stream.Send(InferPart(i, Part::kStart, Ramp(8000)));
    if (round % 2 == 0) stream.Read();
    stream.Cancel();
    EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
    // The server hears of it a little later.
    while (server_->live_sessions() > 0) std::this_thread::yield();
  }
}

TEST_F(InferenceLiveTest, ADeadlineEndsARecording) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  inference::ModelInferResponse response;
  const grpc::Status status = stub_->ModelInfer(&context, testing::Infer(Ramp(1000000)), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  while (server_->live_sessions() > 0) std::this_thread::yield();
}

TEST_F(InferenceLiveTest, GarbageOnTheStreamEndsIt) {
  InferStream stream(*stub_);
  EXPECT_EQ(stream.Ask(InferPart(1, Part::kStart, Ramp(320))).error_message(), "");
  ModelInferRequest bad = InferPart(1, Part::kMiddle, Ramp(320));
  bad.set_model_name("\xff\xfe");  // no UTF-8, which proto3 demands of a string
  stream.Send(bad);
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

ServerOptions SmallBacklog() {
  ServerOptions options = LocalOptions(2);
  options.limits.max_output_backlog_bytes = 4096;
  return options;
}

class SmallBacklogTest : public InferenceLiveTest {
 protected:
  SmallBacklogTest() : InferenceLiveTest(SmallBacklog()) {}
};

// Neither memory nor the device is spent on a client that writes and does not read; nothing is lost when it does.
TEST_F(SmallBacklogTest, AWriterWhoReadsLateGetsEverything) {
  InferStream stream(*stub_);
  constexpr int kRequests = 400;
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      stream.Send(InferPart(1, i == 0 ? Part::kStart : i == kRequests - 1 ? Part::kEnd : Part::kMiddle, Ramp(3200)));
    }
    stream.HalfClose();
  });
  int64_t samples = 0;
  for (int i = 0; i < kRequests; ++i) {
    const auto answer = stream.Read();
    ASSERT_TRUE(answer.has_value()) << i;
    ASSERT_EQ(answer->error_message(), "");
    samples += static_cast<int64_t>(AudioOf(answer->infer_response()).size());
  }
  writer.join();
  EXPECT_EQ(samples, kRequests * 3200 + kVstFormat.tail);
  EXPECT_TRUE(stream.Finish().ok());
}

ServerOptions Impatient() {
  ServerOptions options = LocalOptions(2);
  options.limits.idle_timeout = absl::ZeroDuration();
  return options;
}

class ImpatientTest : public InferenceLiveTest {
 protected:
  ImpatientTest() : InferenceLiveTest(Impatient()) {}
};

TEST_F(ImpatientTest, AnIdleSequenceIsEndedAndTheClientIsTold) {
  InferStream stream(*stub_);
  ASSERT_EQ(stream.Ask(InferPart(1, Part::kStart, Ramp(320))).error_message(), "");
  server_->KeepHouse();
  const auto notice = stream.Read();
  ASSERT_TRUE(notice.has_value());
  EXPECT_THAT(notice->error_message(), ::testing::StartsWith("SESSION_IDLE_TIMEOUT: "));
  EXPECT_EQ(notice->infer_response().parameters().at("sequence_id").string_param(), "1");
  EXPECT_THAT(stream.Ask(InferPart(1, Part::kMiddle, Ramp(320))).error_message(),
              ::testing::StartsWith("SESSION_NOT_FOUND: "));
}

TEST_F(InferenceLiveTest, ADrainingServerFinishesSequencesAndTakesNoNewOnes) {
  InferStream stream(*stub_);
  ASSERT_EQ(stream.Ask(InferPart(1, Part::kStart, Ramp(320))).error_message(), "");
  server_->BeginDrain();
  EXPECT_THAT(stream.Ask(InferPart(2, Part::kStart, Ramp(320))).error_message(),
              ::testing::StartsWith("SERVER_DRAINING: "));
  EXPECT_EQ(stream.Ask(InferPart(1, Part::kEnd, Ramp(320))).error_message(), "");
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(Call(&GRPCInferenceService::Stub::ServerReady, {}, &ready).ok());
  EXPECT_FALSE(ready.ready());
}

// ---------------------------------------------------------------- what there is

TEST_F(InferenceLiveTest, TellsOfServerAndModel) {
  inference::ServerLiveResponse live;
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(Call(&GRPCInferenceService::Stub::ServerLive, {}, &live).ok() && live.live());
  EXPECT_TRUE(Call(&GRPCInferenceService::Stub::ServerReady, {}, &ready).ok() && ready.ready());
  inference::ServerMetadataResponse server;
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ServerMetadata, {}, &server).ok());
  EXPECT_THAT(server.extensions(), ::testing::IsSupersetOf({"statistics", "sequence", "sequence(string_id)"}));
  for (const char* absent : {"system_shared_memory", "cuda_shared_memory", "trace", "logging"}) {
    EXPECT_THAT(server.extensions(), ::testing::Not(::testing::Contains(absent)));
  }
  inference::ModelMetadataRequest request;
  request.set_name("violin");
  inference::ModelMetadataResponse model;
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelMetadata, request, &model).ok());
  EXPECT_THAT(model.versions(), ::testing::ElementsAre("1"));
  EXPECT_EQ(model.inputs(0).name() + " " + model.inputs(0).datatype(), "audio FP32");
  EXPECT_EQ(model.inputs(0).shape(0), -1);
  EXPECT_EQ(model.outputs(0).name() + " " + model.outputs(0).datatype(), "audio FP32");
  EXPECT_EQ(model.properties().at("sample_rate_hz"), "16000");
  EXPECT_EQ(model.properties().at("latency_samples"), "832");
  EXPECT_EQ(model.properties().at("tail_samples"), "700");
  request.set_name("kazoo");
  const grpc::Status unknown = Call(&GRPCInferenceService::Stub::ModelMetadata, request, &model);
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(InfoOf(unknown).reason(), "MODEL_NOT_FOUND");
}

TEST_F(InferenceLiveTest, ReadinessOfAModelIsNoError) {
  for (const auto& [name, version, expected] :
       std::vector<std::tuple<std::string, std::string, bool>>{{"violin", "", true},
                                                               {"violin", "1", true},
                                                               {"violin", "2", false},
                                                               {"violin", "one", false},
                                                               {"kazoo", "", false},
                                                               {"", "", false}}) {
    inference::ModelReadyRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelReadyResponse response;
    ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelReady, request, &response).ok());
    EXPECT_EQ(response.ready(), expected) << name << "/" << version;
  }
}

TEST_F(InferenceLiveTest, ConfigIsWhatProfilersAskFor) {
  inference::ModelConfigRequest request;
  request.set_name("violin");
  inference::ModelConfigResponse response;
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelConfig, request, &response).ok());
  const inference::ModelConfig& config = response.config();
  EXPECT_EQ(config.max_batch_size(), 0);
  EXPECT_TRUE(config.has_sequence_batching());
  EXPECT_EQ(config.sequence_batching().max_sequence_idle_microseconds(), 60000000u);
  EXPECT_FALSE(config.model_transaction_policy().decoupled());
  EXPECT_FALSE(config.input(0).optional());
  for (int i = 1; i < config.input_size(); ++i) EXPECT_TRUE(config.input(i).optional()) << i;
}

TEST_F(InferenceLiveTest, StatisticsCountRequests) {
  inference::ModelInferResponse answer;
  ASSERT_TRUE(Infer(testing::Infer(Ramp(320)), &answer).ok());
  ASSERT_FALSE(Infer(testing::Infer({NAN}), &answer).ok());
  inference::ModelStatisticsResponse all;
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelStatistics, {}, &all).ok());
  ASSERT_EQ(all.model_stats_size(), 1) << "the feature extractor is no model";
  EXPECT_EQ(all.model_stats(0).inference_stats().success().count(), 1u);
  EXPECT_EQ(all.model_stats(0).inference_stats().fail().count(), 1u);
  EXPECT_GT(all.model_stats(0).inference_stats().compute_infer().ns(), 0u);
  EXPECT_GT(all.model_stats(0).last_inference(), 1500000000000u);
}

TEST_F(InferenceLiveTest, LoadingIsForTheAdminPort) {
  inference::RepositoryModelLoadRequest request;
  request.set_model_name("violin");
  inference::RepositoryModelLoadResponse response;
  const grpc::Status status = Call(&GRPCInferenceService::Stub::RepositoryModelLoad, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(InfoOf(status).reason(), "ADMIN_PORT_ONLY");
}

TEST(InferenceAdminTest, LoadsAndUnloadsForOperators) {
  TempDir repository;
  WriteTestBundle(repository.path());
  ServerOptions options = LocalOptions(2);
  options.model_repository = repository.path();
  options.admin_listen = "127.0.0.1:0";
  const std::unique_ptr<Server> server = *Server::Start(options);
  const auto admin = GRPCInferenceService::NewStub(ChannelTo(server->admin_port()));
  const auto state = [&] {
    grpc::ClientContext context;
    inference::RepositoryIndexResponse index;
    EXPECT_TRUE(admin->RepositoryIndex(&context, {}, &index).ok());
    return index.models_size() == 1 ? index.models(0).state() : "(no model)";
  };
  EXPECT_EQ(state(), "READY");
  inference::RepositoryModelUnloadRequest unload;
  unload.set_model_name("test-voice");
  inference::RepositoryModelUnloadResponse unloaded;
  grpc::ClientContext first, second, third;
  EXPECT_TRUE(admin->RepositoryModelUnload(&first, unload, &unloaded).ok());
  EXPECT_NE(state(), "READY");
  const auto stub = GRPCInferenceService::NewStub(ChannelTo(server->port()));
  ModelInferRequest request = testing::Infer(Ramp(320));
  request.set_model_name("test-voice");
  inference::ModelInferResponse answer;
  EXPECT_EQ(InfoOf(stub->ModelInfer(&second, request, &answer)).reason(), "MODEL_NOT_READY");
  inference::RepositoryModelLoadRequest load;
  load.set_model_name("test-voice");
  inference::RepositoryModelLoadResponse loaded;
  EXPECT_TRUE(admin->RepositoryModelLoad(&third, load, &loaded).ok());
  EXPECT_EQ(state(), "READY");
  grpc::ClientContext fourth;
  EXPECT_TRUE(stub->ModelInfer(&fourth, request, &answer).ok());
}

}  // namespace
}  // namespace ddsp::server
