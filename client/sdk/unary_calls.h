// Calls that take one message and give one: graphs, features, whole renderings.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ddsp/v1/features.pb.h"
#include "ddsp/v1/graph.pb.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::client {

// `server` is HOST:PORT. Messages are bounded to 4 MiB by the server, answers to kMaxAnswerBytes here. Errors are those
// of the server, with their details, and UNAVAILABLE or DEADLINE_EXCEEDED.
inline constexpr int kMaxAnswerBytes = 1 << 30;
inline constexpr absl::Duration kUnaryTimeout = absl::Minutes(10);

absl::StatusOr<v1::RunGraphResponse> RunGraph(const std::string& server, const v1::RunGraphRequest& request,
                                              absl::Duration timeout = kUnaryTimeout);
absl::StatusOr<v1::ExtractResponse> ExtractFeatures(const std::string& server, const v1::ExtractRequest& request,
                                                    absl::Duration timeout = kUnaryTimeout);
absl::StatusOr<v1::RenderResponse> Render(const std::string& server, const v1::RenderRequest& request,
                                          absl::Duration timeout = kUnaryTimeout);

}  // namespace ddsp::client
