// What operators and probes see: health, reflection, metrics. Without generated stubs: bytes over a generic one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "absl/strings/str_cat.h"
#include "grpcpp/generic/generic_stub.h"
#include "server/metrics/metric_table.h"
#include "tests/server/live/live_server.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

struct Answer {
  grpc::Status status;
  std::string bytes;
};

Answer AskOnce(int port, const std::string& method, const std::string& request) {
  grpc::GenericStub stub(ChannelTo(port));
  grpc::ClientContext context;
  const grpc::ByteBuffer ask = Bytes(request);
  grpc::ByteBuffer reply;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &ask, &reply,
                 [&](grpc::Status status) { done.set_value(status); });
  Answer answer{.status = done.get_future().get(), .bytes = {}};
  std::vector<grpc::Slice> slices;
  if (answer.status.ok() && reply.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices)
      answer.bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return answer;
}

// HealthCheckRequest.service is field 1; so is HealthCheckResponse.status, of which 1 is SERVING and 2 NOT_SERVING.
Answer Health(int port, const std::string& service) {
  const std::string request =
      service.empty() ? "" : absl::StrCat("\x0a", std::string(1, static_cast<char>(service.size())), service);
  return AskOnce(port, "/grpc.health.v1.Health/Check", request);
}
constexpr char kServing[] = "\x08\x01", kNotServing[] = "\x08\x02";

std::string HttpGet(int port, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n");
    EXPECT_EQ(::write(socket, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t size; (size = ::read(socket, buffer, sizeof buffer)) > 0;) answer.append(buffer, size);
  }
  ::close(socket);
  return answer;
}

ServerOptions AllPorts() {
  ServerOptions options = LocalOptions(2);
  options.metrics_listen = options.admin_listen = "127.0.0.1:0";
  return options;
}

class OperationsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Server> server_ = *Server::Start(AllPorts(), FakeVoices(2));
};

TEST_F(OperationsTest, HealthKnowsServerServiceAndModels) {
  for (const int port : {server_->port(), server_->admin_port()}) {
    for (const char* service : {"", "ddsp.v1.Synthesis", "model/violin"}) {
      EXPECT_EQ(Health(port, service).bytes, kServing) << service;
    }
    EXPECT_EQ(Health(port, "model/kazoo").status.error_code(), grpc::StatusCode::NOT_FOUND);
  }
}

TEST_F(OperationsTest, HealthTellsOfTheDrain) {
  server_->AnnounceDrain();
  for (const int port : {server_->port(), server_->admin_port()}) {
    for (const char* service : {"", "ddsp.v1.Synthesis", "model/violin"})
      EXPECT_EQ(Health(port, service).bytes, kNotServing);
  }
}

TEST_F(OperationsTest, ReflectionIsOnTheAdminPortAlone) {
  const std::string method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const std::string list_services("\x3a\x00", 2);  // field 7: any string
  EXPECT_EQ(AskOnce(server_->port(), method, list_services).status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  const Answer answer = AskOnce(server_->admin_port(), method, list_services);
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
}

TEST_F(OperationsTest, MetricsAreScrapedAsText) {
  server_->KeepHouse();
  const std::string answer = HttpGet(server_->metrics_port(), "/metrics");
  EXPECT_THAT(answer, ::testing::StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, ::testing::HasSubstr("ddsp_session_slots{device=\"cpu\",model=\"violin\"} 2"));
  EXPECT_THAT(answer, ::testing::HasSubstr("ddsp_server_state{state=\"serving\"} 1"));
}

}  // namespace
}  // namespace ddsp::server
