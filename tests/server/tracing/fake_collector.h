// A collector of traces in this process.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace ddsp::testing {

class FakeCollector : public opentelemetry::proto::collector::trace::v1::TraceService::Service {
 public:
  using Request = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
  using Response = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
  using Span = opentelemetry::proto::trace::v1::Span;

  explicit FakeCollector(
      const std::shared_ptr<grpc::ServerCredentials>& credentials = grpc::InsecureServerCredentials()) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeCollector() override {
    Answer();
    server_->Shutdown();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // The next answers are this.
  void Say(const grpc::Status& status) {
    const std::lock_guard lock(mu_);
    status_ = status;
  }
  // Nobody is answered until Answer().
  void Hold() {
    const std::lock_guard lock(mu_);
    held_ = true;
  }
  void Answer() {
    const std::lock_guard lock(mu_);
    held_ = false;
    changed_.notify_all();
  }

  grpc::Status Export(grpc::ServerContext*, const Request* request, Response*) override {
    std::unique_lock lock(mu_);
    ++calls_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    if (status_.ok()) requests_.push_back(*request);
    changed_.notify_all();
    return status_;
  }

  int calls() {
    const std::lock_guard lock(mu_);
    return calls_;
  }
  void AwaitCall() {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [this] { return calls_ > 0; });
  }
  std::vector<Request> requests() {
    const std::lock_guard lock(mu_);
    return requests_;
  }
  std::vector<Span> spans() {
    std::vector<Span> spans;
    for (const Request& request : requests()) {
      for (const auto& resource : request.resource_spans()) {
        for (const auto& scope : resource.scope_spans()) {
          spans.insert(spans.end(), scope.spans().begin(), scope.spans().end());
        }
      }
    }
    return spans;
  }
  // Waits for so many.
  std::vector<Span> AwaitSpans(size_t count) {
    for (;;) {
      std::vector<Span> spans = this->spans();
      if (spans.size() >= count) return spans;
      std::unique_lock lock(mu_);
      changed_.wait_for(lock, std::chrono::milliseconds(50));
    }
  }

 private:
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::mutex mu_;
  std::condition_variable changed_;
  grpc::Status status_;
  bool held_ = false;
  int calls_ = 0;
  std::vector<Request> requests_;
};

// Of a span, an event or a resource; text of numbers too.
template <typename Message>
std::string AttributeOf(const Message& message, const std::string& key) {
  for (const auto& pair : message.attributes()) {
    if (pair.key() != key) continue;
    if (pair.value().has_int_value()) return std::to_string(pair.value().int_value());
    if (pair.value().has_double_value()) return std::to_string(pair.value().double_value());
    return pair.value().string_value();
  }
  return "(none)";
}

}  // namespace ddsp::testing
