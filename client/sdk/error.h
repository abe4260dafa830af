// What a server says when it ends a call, as an absl::Status: the code, the message, and google.rpc.ErrorInfo and
// RetryInfo as payloads.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace grpc {
class Status;
}

namespace ddsp::client {

// Why a call failed, for programs: `reason` is stable, the status message is not.
struct ErrorDetails {
  std::string reason;  // "CREDIT_EXCEEDED"
  std::string domain;
  std::map<std::string, std::string> metadata;  // the values that the message mentions
};

// A status of this side's own that programs can tell apart.
absl::Status MakeError(absl::StatusCode code, const std::string& message, const std::string& reason);

// The codes of gRPC and Abseil are the same.
absl::Status FromGrpc(const grpc::Status& status);

// Details of a status that came from a server or from MakeError(); nullopt for any other.
std::optional<ErrorDetails> DetailsOf(const absl::Status& status);

// The reason alone; empty where there is none.
std::string ReasonOf(const absl::Status& status);

// How long the server asks to wait before the next attempt; nullopt where it does not.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

// "UNAVAILABLE: failed to connect (SESSION_SLOTS_EXHAUSTED; slots=64)": one line for people.
std::string Describe(const absl::Status& status);

}  // namespace ddsp::client
