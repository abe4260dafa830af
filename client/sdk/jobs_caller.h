// Calls of ddsp.v1.Jobs that are made again when they fail for a passing reason.
#pragma once

#include <grpcpp/client_context.h>

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/sdk/error.h"
#include "client/sdk/retry.h"
#include "core/base/status_macros.h"
#include "ddsp/v1/jobs.grpc.pb.h"

namespace ddsp::client {

// Any number of threads may call.
class JobsCaller {
 public:
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::Jobs::StubInterface::*)(grpc::ClientContext*, const Request&, Response*);

  JobsCaller(std::shared_ptr<v1::Jobs::StubInterface> stub, CallOptions options)
      : stub_(std::move(stub)), options_(std::move(options)) {}

  // One attempt.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Try(Method<Request, Response> method, const Request& request, absl::Duration timeout) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
    const Cancellation::Call call(options_.cancellation, &context);
    Response response;
    RETURN_IF_ERROR(Judge((stub_.get()->*method)(&context, request, &response)));
    return response;
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Try(Method<Request, Response> method, const Request& request) {
    return Try(method, request, options_.timeout);
  }

  // As many as it takes.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request) {
    Backoff backoff = NewBackoff();
    while (true) {
      absl::StatusOr<Response> response = Try(method, request);
      if (response.ok() || !IsPassing(response.status())) return response;
      RETURN_IF_ERROR(Pause(response.status(), &backoff));
    }
  }

  // What a call ended with. An end that neither side asked for (a server that stops) is UNAVAILABLE.
  absl::Status Judge(const grpc::Status& status);
  Backoff NewBackoff() const { return Backoff(options_.retry, options_.seed); }
  // Waits before the next attempt; returns `error` where there should be none, or CANCELLED.
  absl::Status Pause(const absl::Status& error, Backoff* backoff) const;

  v1::Jobs::StubInterface& stub() { return *stub_; }
  const CallOptions& options() const { return options_; }

 private:
  const std::shared_ptr<v1::Jobs::StubInterface> stub_;
  const CallOptions options_;
  std::atomic<bool> met_ = false;  // the server has answered once
};

}  // namespace ddsp::client
