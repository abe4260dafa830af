#include "benchmarks/transport/echo_servers.h"

#include <utility>

#include "ddsp/v1/session.pb.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/wire.h"

namespace ddsp::benchmarks {
namespace {

class EchoReactor : public grpc::ServerGenericBidiReactor {
 public:
  EchoReactor() { StartRead(&message_); }
  void OnReadDone(bool ok) override { ok ? StartWrite(&message_) : Finish(grpc::Status::OK); }
  void OnWriteDone(bool) override { StartRead(&message_); }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer message_;
};

class CallbackEcho : public EchoServer {
 public:
  CallbackEcho() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~CallbackEcho() override { server_->Shutdown(std::chrono::system_clock::now()); }
  int port() const override { return port_; }

 private:
  class Service : public grpc::CallbackGenericService {
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
      return new EchoReactor;
    }
  };
  Service service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

// Messages pass through protobuf, as the server's own do.
class EchoCall : public server::CallHandler {
 public:
  explicit EchoCall(server::Call& call) : call_(call) { call_.Read(); }
  void OnRead(grpc::ByteBuffer* message) override {
    if (message == nullptr || !server::Parse(message, &message_)) return call_.Finish(absl::OkStatus());
    call_.Write(message_);
  }
  void OnWritten(bool ok) override { ok ? call_.Read() : call_.Finish(absl::CancelledError("gone")); }

 private:
  server::Call& call_;
  v1::StreamSessionRequest message_;
};

class WireEcho : public EchoServer {
 public:
  WireEcho() {
    auto methods = std::make_unique<server::MethodTable>();
    methods->Add("benchmark.Echo", "Talk", [](server::Call& call) { return std::make_unique<EchoCall>(call); });
    endpoint_ = *wire_.Open({.address = "127.0.0.1:0", .max_streams = 10000}, std::move(methods));
    wire_.Serve();
  }
  int port() const override { return endpoint_->port(); }

 private:
  server::Wire wire_;
  server::Endpoint* endpoint_;
};

}  // namespace

std::unique_ptr<EchoServer> MakeCallbackEcho() { return std::make_unique<CallbackEcho>(); }
std::unique_ptr<EchoServer> MakeWireEcho() { return std::make_unique<WireEcho>(); }

}  // namespace ddsp::benchmarks
