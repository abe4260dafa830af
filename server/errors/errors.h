// Errors as a client sees them: a gRPC code, a stable reason, and the values that the text mentions as metadata.
//
// An absl::Status carries google.rpc.ErrorInfo (and BadRequest, QuotaFailure, RetryInfo where they apply) as payloads
// under their type URLs; rpc/status_details.h turns payloads into the details of a grpc::Status.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ddsp::server {

inline constexpr char kErrorDomain[] = "ddsp.dev";
inline constexpr char kTypeUrlPrefix[] = "type.googleapis.com/";

enum class Reason {
  kSessionSlotsExhausted,
  kServerDraining,
  kModelNotFound,
  kConfigNotFirst,
  kInvalidConfig,
  kFormatUnsupported,
  kInvalidControl,
  kInputMismatch,
  kBlockSequenceGap,
  kBlockTooLarge,
  kBlockMalformed,
  kAudioNotFinite,
  kOpusPacketInvalid,
  kCreditExceeded,
  kClientTooSlow,
  kSessionIdleTimeout,
  kModelNumericFault,
  kQueueFull,
  kInvalidGraph,
  kInvalidGraphInput,
  kGraphTooLarge,
  kJobNotFound,
  kInvalidJobRequest,
  kRequestIdReused,
  kJobNotClaimable,
  kLeaseLost,
  kJobStoreUnavailable,
  kJobStoreFull,
  kBlobNotFound,
  kInvalidBlobRequest,
  kBlobChecksumMismatch,
  kUploadOffsetMismatch,
  kBlobQuotaExceeded,
  kModelNotReady,
  kModelLoadFailed,
  kInvalidModelRequest,
  kRepositoryNotWritable,
  kAdminPortOnly,
  kTokenMissing,
  kTokenInvalid,
  kRoleMissing,
  kSessionQuotaExceeded,
  kCallQuotaExceeded,
  kJobQuotaExceeded,
  kJobsDisabled,
  kVoiceRejected,
  kSnapshotInvalid,
  kStateLost,
  kSessionNotFound,
  kSessionExists,
  kInvalidSessionRequest,
  kSessionKilled,
  kMemoryExhausted,
  kVersionRetired,
  kServerOverloaded,
  kMethodNotFound,
  kServiceNotFound,
  kMessageMalformed,
  kDeviceFault,
};

using ErrorMetadata = std::map<std::string, std::string>;

struct FieldViolation {
  std::string field;  // path in the message: "input_format.sample_rate_hz"
  std::string description;
};

// Each once.
std::vector<Reason> AllReasons();
std::string_view NameOf(Reason reason);  // "CONFIG_NOT_FIRST"
absl::StatusCode CodeOf(Reason reason);

absl::Status MakeError(Reason reason, std::string_view message, const ErrorMetadata& metadata = {});
// With google.rpc.BadRequest.
absl::Status MakeFieldError(Reason reason, std::string_view message, const std::vector<FieldViolation>& violations);

// With google.rpc.QuotaFailure: `subject` ("tenant:studio") has as much as it may, and another attempt at another
// replica is no way out.
absl::Status MakeQuotaError(Reason reason, std::string_view message, const std::string& subject,
                            const ErrorMetadata& metadata);
// Whether it was made by MakeQuotaError().
bool IsQuotaError(const absl::Status& error);

// A refusal that another attempt may escape after `delay`.
absl::Status WithRetry(absl::Status error, absl::Duration delay);
// Adds to the metadata of an error made here; any other status passes unchanged.
absl::Status WithMetadata(absl::Status error, const ErrorMetadata& metadata);

// The text begins with the reason ("MODEL_NOT_FOUND: no model ..."), for clients that see nothing else. Code and
// details stay; a status without a reason passes unchanged.
absl::Status WithReasonInText(const absl::Status& error);

// The reason's name; empty for a status that was not made here.
std::string ReasonOf(const absl::Status& error);
ErrorMetadata MetadataOf(const absl::Status& error);
std::optional<absl::Duration> RetryDelayOf(const absl::Status& error);

}  // namespace ddsp::server
