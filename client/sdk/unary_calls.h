// Calls that take one message and give one: graphs, features, whole renderings.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/sdk/server_address.h"
#include "ddsp/v1/features.pb.h"
#include "ddsp/v1/graph.pb.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::client {

// Requests are bounded to kMaxRequestBytes, as the server bounds them, answers to
// kMaxAnswerBytes. Errors are those of the server, with their details, RESOURCE_EXHAUSTED for a request that is too
// long and was not sent, and UNAVAILABLE or DEADLINE_EXCEEDED.
inline constexpr int64_t kMaxRequestBytes = 4 << 20;
inline constexpr int kMaxAnswerBytes = 1 << 30;
inline constexpr absl::Duration kUnaryTimeout = absl::Minutes(10);

absl::StatusOr<v1::RunGraphResponse> RunGraph(const ServerAddress& server, const v1::RunGraphRequest& request,
                                              absl::Duration timeout = kUnaryTimeout);
absl::StatusOr<v1::ExtractResponse> ExtractFeatures(const ServerAddress& server, const v1::ExtractRequest& request,
                                                    absl::Duration timeout = kUnaryTimeout);
absl::StatusOr<v1::RenderResponse> Render(const ServerAddress& server, const v1::RenderRequest& request,
                                          absl::Duration timeout = kUnaryTimeout);

}  // namespace ddsp::client
