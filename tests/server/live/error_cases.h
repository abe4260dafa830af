// The table of errors: how a real server comes to say each, and all that it says then.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/live/error_rig.h"

namespace ddsp::testing {

struct ErrorCase {
  std::string reason;
  grpc::StatusCode code = grpc::StatusCode::OK;
  // Keys of ErrorInfo.metadata, besides where the session stopped, which every session says.
  std::vector<std::string> values = {};
  std::vector<std::string> fields = {};      // of BadRequest
  std::optional<absl::Duration> retry = {};  // RetryInfo, and the trailer grpc-retry-pushback-ms
  std::string quota_subject = {};            // QuotaFailure, and that trailer with -1

  // One of the two. A call that is refused has no initial metadata (Trailers-Only), so that a stock client tries again.
  std::function<Refused(ErrorRig&)> refuse = nullptr;
  std::function<Ending(ErrorRig&)> act = nullptr;
};
void PrintTo(const ErrorCase& error, std::ostream* out);

// What a server refuses that nothing else is wrong with.
inline auto WhileServing(Refused call) {
  return [call = std::move(call)](ErrorRig& rig) {
    rig.Serve();
    return call;
  };
}
inline auto WhileServingARepository(Refused call) {
  return [call = std::move(call)](ErrorRig& rig) {
    rig.ServeRepository();
    return call;
  };
}

template <typename Request>
Request Naming(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

// Of the native surface: each reason once.
std::vector<ErrorCase> SessionErrors();
std::vector<ErrorCase> AccessErrors();  // who is let in, and how much they may have
std::vector<ErrorCase> ModelErrors();   // and of graphs
std::vector<ErrorCase> JobErrors();

// Of the Open Inference Protocol: each reason that it knows once.
std::vector<ErrorCase> InferenceErrors();

}  // namespace ddsp::testing
