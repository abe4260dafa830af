#include "server/rpc/wire.h"

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "server/rpc/health_service.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/unary_call.h"

namespace ddsp::server {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using Health = HealthService::Health;

grpc::ByteBuffer Bytes(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

HealthCheckRequest Asking(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request;
}

// A call of any method, one step at a time.
class TestCall {
 public:
  TestCall(int port, const std::string& method)
      : stub_(grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials())),
        stream_(stub_.PrepareCall(&context_, method, &queue_)) {
    stream_->StartCall(this);
    Next();
  }
  ~TestCall() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag;
    for (bool ok; queue_.Next(&tag, &ok);) {
    }
  }
  bool Write(const google::protobuf::MessageLite& message) { return Write(Bytes(message)); }
  bool Write(const grpc::ByteBuffer& bytes) {
    stream_->Write(bytes, this);
    return Next();
  }
  // False: there is no more, or it is no such message.
  bool Read(google::protobuf::MessageLite* message) {
    grpc::ByteBuffer bytes;
    stream_->Read(&bytes, this);
    return Next() && Parse(&bytes, message);
  }
  grpc::Status End() {
    stream_->WritesDone(this);
    Next();
    grpc::Status status;
    stream_->Finish(&status, this);
    Next();
    return status;
  }
  void Cancel() { context_.TryCancel(); }

 private:
  bool Next() {
    void* tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

// Sends each message back; tells of its cancellation.
class Echo : public CallHandler {
 public:
  Echo(Call& call, std::promise<void>* cancelled) : call_(call), cancelled_(cancelled) { call_.Read(); }
  void OnRead(grpc::ByteBuffer* message) override {
    HealthCheckRequest request;
    if (message == nullptr || !Parse(message, &request)) return call_.Finish(absl::OkStatus());
    call_.Write(request);
  }
  void OnWritten(bool ok) override { ok ? call_.Read() : call_.Finish(absl::CancelledError("")); }
  void OnCancel() override { cancelled_->set_value(); }

 private:
  Call& call_;
  std::promise<void>* const cancelled_;
};

class WireTest : public ::testing::Test {
 protected:
  WireTest() {
    auto methods = std::make_unique<MethodTable>();
    health_.AddMethods(methods.get());
    methods->Add("test.Echo", "Talk", [this](Call& call) { return std::make_unique<Echo>(call, &cancelled_); });
    AddReflection(methods->services(), methods.get());
    endpoint_ = *wire_.Open({.address = "127.0.0.1:0"}, std::move(methods));
    wire_.Serve();
  }
  int port() const { return endpoint_->port(); }

  std::promise<void> cancelled_;
  HealthService health_;
  Wire wire_;
  Endpoint* endpoint_;
};

TEST_F(WireTest, CarriesMessagesBothWays) {
  TestCall call(port(), "/test.Echo/Talk");
  for (const char* word : {"one", "two", "three"}) {
    ASSERT_TRUE(call.Write(Asking(word)));
    HealthCheckRequest answer;
    ASSERT_TRUE(call.Read(&answer));
    EXPECT_EQ(answer.service(), word);
  }
  EXPECT_EQ(endpoint_->live_calls(), 1);
  EXPECT_TRUE(call.End().ok());
}

TEST_F(WireTest, CarriesManyCallsAtOnce) {
  std::vector<std::unique_ptr<TestCall>> calls;
  for (int i = 0; i < 50; ++i) calls.push_back(std::make_unique<TestCall>(port(), "/test.Echo/Talk"));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(calls[i]->Write(Asking(absl::StrCat(i))));
  for (int i = 0; i < 50; ++i) {
    HealthCheckRequest answer;
    ASSERT_TRUE(calls[i]->Read(&answer));
    EXPECT_EQ(answer.service(), absl::StrCat(i));
    EXPECT_TRUE(calls[i]->End().ok());
  }
}

TEST_F(WireTest, RefusesAnUnknownMethodByName) {
  const grpc::Status status = TestCall(port(), "/test.Echo/Shout").End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("/test.Echo/Shout"));
}

TEST_F(WireTest, TellsOfACancellation) {
  TestCall call(port(), "/test.Echo/Talk");
  HealthCheckRequest answer;
  ASSERT_TRUE(call.Write(Asking("one")) && call.Read(&answer));
  call.Cancel();
  cancelled_.get_future().wait();
}

TEST_F(WireTest, RefusesBytesThatAreNoMessage) {
  TestCall call(port(), "/grpc.health.v1.Health/Check");
  const grpc::Slice garbage(std::string("\x0a\x7f garbage"));
  ASSERT_TRUE(call.Write(grpc::ByteBuffer(&garbage, 1)));
  const grpc::Status status = call.End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("grpc.health.v1.HealthCheckRequest"));
}

TEST_F(WireTest, RefusesAUnaryCallWithoutMessage) {
  EXPECT_EQ(TestCall(port(), "/grpc.health.v1.Health/Check").End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(WireTest, WatchersAreToldOfEachChange) {
  health_.Set("model/flute", Health::kServing);
  TestCall call(port(), "/grpc.health.v1.Health/Watch"), unknown(port(), "/grpc.health.v1.Health/Watch");
  ASSERT_TRUE(call.Write(Asking("model/flute")) && unknown.Write(Asking("model/kazoo")));
  HealthCheckResponse answer;
  ASSERT_TRUE(call.Read(&answer));
  EXPECT_EQ(answer.status(), HealthCheckResponse::SERVING);
  ASSERT_TRUE(unknown.Read(&answer));
  EXPECT_EQ(answer.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  health_.Set("model/kazoo", Health::kServing);
  ASSERT_TRUE(unknown.Read(&answer));
  EXPECT_EQ(answer.status(), HealthCheckResponse::SERVING);
  health_.SetUnhealthy();
  ASSERT_TRUE(call.Read(&answer));
  EXPECT_EQ(answer.status(), HealthCheckResponse::NOT_SERVING);
  call.Cancel();
  health_.Set("model/flute", Health::kNotServing);  // nobody is left to tell, or only just
}

TEST_F(WireTest, ReflectionListsAndDescribesServices) {
  TestCall call(port(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  grpc::reflection::v1::ServerReflectionRequest request;
  grpc::reflection::v1::ServerReflectionResponse response;
  request.set_list_services("");
  ASSERT_TRUE(call.Write(request) && call.Read(&response));
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  EXPECT_THAT(names, ::testing::ElementsAre("grpc.health.v1.Health", "test.Echo", "grpc.reflection.v1.ServerReflection",
                                            "grpc.reflection.v1alpha.ServerReflection"));
  request.set_file_containing_symbol("grpc.health.v1.Health");
  ASSERT_TRUE(call.Write(request) && call.Read(&response));
  ASSERT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 1);
  EXPECT_THAT(response.file_descriptor_response().file_descriptor_proto(0), ::testing::HasSubstr("HealthCheckRequest"));
  request.set_file_containing_symbol("no.such.Thing");
  ASSERT_TRUE(call.Write(request) && call.Read(&response));
  EXPECT_EQ(response.error_response().error_code(), static_cast<int>(absl::StatusCode::kNotFound));
  EXPECT_THAT(response.error_response().error_message(), ::testing::HasSubstr("no.such.Thing"));
  EXPECT_TRUE(call.End().ok());
}

TEST(WireEndTest, StopsWithCallsUnderWayAndWithoutEverServing) {
  std::promise<void> cancelled;
  auto wire = std::make_unique<Wire>();
  auto methods = std::make_unique<MethodTable>();
  methods->Add("test.Echo", "Talk", [&](Call& call) { return std::make_unique<Echo>(call, &cancelled); });
  Endpoint* endpoint = *wire->Open({.address = "127.0.0.1:0"}, std::move(methods));
  wire->Serve();
  TestCall call(endpoint->port(), "/test.Echo/Talk");
  HealthCheckRequest answer;
  ASSERT_TRUE(call.Write(Asking("one")) && call.Read(&answer));
  wire.reset();
  cancelled.get_future().wait();

  Wire silent;
  ASSERT_TRUE(silent.Open({.address = "127.0.0.1:0"}, std::make_unique<MethodTable>()).ok());
}

TEST(WireEndTest, NamesAnAddressThatCannotBeListenedOn) {
  Wire wire;
  const auto endpoint = wire.Open({.address = "256.1.2.3:1"}, std::make_unique<MethodTable>());
  ASSERT_FALSE(endpoint.ok());
  EXPECT_THAT(std::string(endpoint.status().message()), ::testing::HasSubstr("256.1.2.3:1"));
}

TEST(RestBetweenRoundsTest, GrowsWithTheCallsUpToTwoMilliseconds) {
  EXPECT_EQ(RestBetweenRounds(1), absl::ZeroDuration());
  EXPECT_EQ(RestBetweenRounds(50), absl::Microseconds(500));
  EXPECT_EQ(RestBetweenRounds(100), absl::Milliseconds(1));
  EXPECT_EQ(RestBetweenRounds(5000), absl::Milliseconds(2));
}

}  // namespace
}  // namespace ddsp::server
