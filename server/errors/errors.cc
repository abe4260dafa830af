#include "server/errors/errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "google/rpc/error_details.pb.h"

namespace ddsp::server {
namespace {

using absl::StatusCode;

struct ReasonRow {
  Reason reason;
  StatusCode code;
  std::string_view name;
};

// One row per reason, in the order of the enum.
constexpr ReasonRow kReasons[] = {
    {Reason::kSessionSlotsExhausted, StatusCode::kUnavailable, "SESSION_SLOTS_EXHAUSTED"},
    {Reason::kServerDraining, StatusCode::kUnavailable, "SERVER_DRAINING"},
    {Reason::kModelNotFound, StatusCode::kNotFound, "MODEL_NOT_FOUND"},
    {Reason::kConfigNotFirst, StatusCode::kFailedPrecondition, "CONFIG_NOT_FIRST"},
    {Reason::kInvalidConfig, StatusCode::kInvalidArgument, "INVALID_CONFIG"},
    {Reason::kFormatUnsupported, StatusCode::kInvalidArgument, "FORMAT_UNSUPPORTED"},
    {Reason::kInvalidControl, StatusCode::kInvalidArgument, "INVALID_CONTROL"},
    {Reason::kInputMismatch, StatusCode::kInvalidArgument, "INPUT_MISMATCH"},
    {Reason::kBlockSequenceGap, StatusCode::kOutOfRange, "BLOCK_SEQUENCE_GAP"},
    {Reason::kBlockTooLarge, StatusCode::kInvalidArgument, "BLOCK_TOO_LARGE"},
    {Reason::kBlockMalformed, StatusCode::kInvalidArgument, "BLOCK_MALFORMED"},
    {Reason::kAudioNotFinite, StatusCode::kInvalidArgument, "AUDIO_NOT_FINITE"},
    {Reason::kOpusPacketInvalid, StatusCode::kInvalidArgument, "OPUS_PACKET_INVALID"},
    {Reason::kCreditExceeded, StatusCode::kResourceExhausted, "CREDIT_EXCEEDED"},
    {Reason::kClientTooSlow, StatusCode::kResourceExhausted, "CLIENT_TOO_SLOW"},
    {Reason::kSessionIdleTimeout, StatusCode::kAborted, "SESSION_IDLE_TIMEOUT"},
    {Reason::kModelNumericFault, StatusCode::kInternal, "MODEL_NUMERIC_FAULT"},
    {Reason::kQueueFull, StatusCode::kUnavailable, "QUEUE_FULL"},
    {Reason::kInvalidGraph, StatusCode::kInvalidArgument, "INVALID_GRAPH"},
    {Reason::kInvalidGraphInput, StatusCode::kInvalidArgument, "INVALID_GRAPH_INPUT"},
    {Reason::kGraphTooLarge, StatusCode::kResourceExhausted, "GRAPH_TOO_LARGE"},
    {Reason::kJobNotFound, StatusCode::kNotFound, "JOB_NOT_FOUND"},
    {Reason::kInvalidJobRequest, StatusCode::kInvalidArgument, "INVALID_JOB_REQUEST"},
    {Reason::kRequestIdReused, StatusCode::kAlreadyExists, "REQUEST_ID_REUSED"},
    {Reason::kJobNotClaimable, StatusCode::kFailedPrecondition, "JOB_NOT_CLAIMABLE"},
    {Reason::kLeaseLost, StatusCode::kAborted, "LEASE_LOST"},
    {Reason::kJobStoreUnavailable, StatusCode::kUnavailable, "JOB_STORE_UNAVAILABLE"},
    {Reason::kJobStoreFull, StatusCode::kResourceExhausted, "JOB_STORE_FULL"},
    {Reason::kBlobNotFound, StatusCode::kNotFound, "BLOB_NOT_FOUND"},
    {Reason::kInvalidBlobRequest, StatusCode::kInvalidArgument, "INVALID_BLOB_REQUEST"},
    {Reason::kBlobChecksumMismatch, StatusCode::kInvalidArgument, "BLOB_CHECKSUM_MISMATCH"},
    {Reason::kUploadOffsetMismatch, StatusCode::kOutOfRange, "UPLOAD_OFFSET_MISMATCH"},
    {Reason::kBlobQuotaExceeded, StatusCode::kResourceExhausted, "BLOB_QUOTA_EXCEEDED"},
    {Reason::kModelNotReady, StatusCode::kFailedPrecondition, "MODEL_NOT_READY"},
    {Reason::kModelLoadFailed, StatusCode::kFailedPrecondition, "MODEL_LOAD_FAILED"},
    {Reason::kInvalidModelRequest, StatusCode::kInvalidArgument, "INVALID_MODEL_REQUEST"},
    {Reason::kRepositoryNotWritable, StatusCode::kFailedPrecondition, "REPOSITORY_NOT_WRITABLE"},
    {Reason::kAdminPortOnly, StatusCode::kPermissionDenied, "ADMIN_PORT_ONLY"},
    {Reason::kTokenMissing, StatusCode::kUnauthenticated, "TOKEN_MISSING"},
    {Reason::kTokenInvalid, StatusCode::kUnauthenticated, "TOKEN_INVALID"},
    {Reason::kRoleMissing, StatusCode::kPermissionDenied, "ROLE_MISSING"},
    {Reason::kSessionQuotaExceeded, StatusCode::kResourceExhausted, "SESSION_QUOTA_EXCEEDED"},
    {Reason::kCallQuotaExceeded, StatusCode::kResourceExhausted, "CALL_QUOTA_EXCEEDED"},
    {Reason::kJobQuotaExceeded, StatusCode::kResourceExhausted, "JOB_QUOTA_EXCEEDED"},
    {Reason::kJobsDisabled, StatusCode::kUnimplemented, "JOBS_DISABLED"},
    {Reason::kVoiceRejected, StatusCode::kFailedPrecondition, "VOICE_REJECTED"},
    {Reason::kSnapshotInvalid, StatusCode::kInvalidArgument, "SNAPSHOT_INVALID"},
    {Reason::kStateLost, StatusCode::kDataLoss, "STATE_LOST"},
    {Reason::kSessionNotFound, StatusCode::kNotFound, "SESSION_NOT_FOUND"},
    {Reason::kSessionExists, StatusCode::kAlreadyExists, "SESSION_EXISTS"},
    {Reason::kInvalidSessionRequest, StatusCode::kInvalidArgument, "INVALID_SESSION_REQUEST"},
    {Reason::kSessionKilled, StatusCode::kAborted, "SESSION_KILLED"},
    {Reason::kMemoryExhausted, StatusCode::kUnavailable, "MEMORY_EXHAUSTED"},
    {Reason::kVersionRetired, StatusCode::kUnavailable, "VERSION_RETIRED"},
    {Reason::kServerOverloaded, StatusCode::kUnavailable, "SERVER_OVERLOADED"},
    {Reason::kMethodNotFound, StatusCode::kUnimplemented, "METHOD_NOT_FOUND"},
    {Reason::kServiceNotFound, StatusCode::kNotFound, "SERVICE_NOT_FOUND"},
    {Reason::kMessageMalformed, StatusCode::kInvalidArgument, "MESSAGE_MALFORMED"},
    {Reason::kDeviceFault, StatusCode::kInternal, "DEVICE_FAULT"},
};

const ReasonRow& RowOf(Reason reason) {
  const ReasonRow& row = kReasons[static_cast<size_t>(reason)];
  DDSP_CHECK(row.reason == reason, "the table of reasons is in the order of the enum");
  return row;
}

template <typename Message>
std::string TypeUrl() {
  return absl::StrCat(kTypeUrlPrefix, Message::descriptor()->full_name());
}

template <typename Message>
void Attach(const Message& detail, absl::Status* error) {
  error->SetPayload(TypeUrl<Message>(), absl::Cord(detail.SerializeAsString()));
}

template <typename Message>
std::optional<Message> Attached(const absl::Status& error) {
  const absl::optional<absl::Cord> payload = error.GetPayload(TypeUrl<Message>());
  Message detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

}  // namespace

std::vector<Reason> AllReasons() {
  std::vector<Reason> reasons;
  for (const ReasonRow& row : kReasons) reasons.push_back(row.reason);
  return reasons;
}

std::string_view NameOf(Reason reason) { return RowOf(reason).name; }
absl::StatusCode CodeOf(Reason reason) { return RowOf(reason).code; }

absl::Status MakeError(Reason reason, std::string_view message, const ErrorMetadata& metadata) {
  absl::Status error(CodeOf(reason), absl::string_view(message.data(), message.size()));
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(NameOf(reason)));
  info.set_domain(kErrorDomain);
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  Attach(info, &error);
  return error;
}

absl::Status MakeFieldError(Reason reason, std::string_view message, const std::vector<FieldViolation>& violations) {
  absl::Status error = MakeError(reason, message);
  google::rpc::BadRequest bad_request;
  for (const FieldViolation& violation : violations) {
    auto* added = bad_request.add_field_violations();
    added->set_field(violation.field);
    added->set_description(violation.description);
  }
  Attach(bad_request, &error);
  return error;
}

absl::Status MakeQuotaError(Reason reason, std::string_view message, const std::string& subject,
                            const ErrorMetadata& metadata) {
  absl::Status error = MakeError(reason, message, metadata);
  google::rpc::QuotaFailure failure;
  auto* violation = failure.add_violations();
  violation->set_subject(subject);
  violation->set_description(std::string(message));
  Attach(failure, &error);
  return error;
}

bool IsQuotaError(const absl::Status& error) { return Attached<google::rpc::QuotaFailure>(error).has_value(); }

absl::Status WithRetry(absl::Status error, absl::Duration delay) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(delay));
  retry.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(delay - absl::Seconds(absl::ToInt64Seconds(delay)))));
  Attach(retry, &error);
  return error;
}

absl::Status WithMetadata(absl::Status error, const ErrorMetadata& metadata) {
  std::optional<google::rpc::ErrorInfo> info = Attached<google::rpc::ErrorInfo>(error);
  if (!info.has_value()) return error;
  for (const auto& [key, value] : metadata) (*info->mutable_metadata())[key] = value;
  Attach(*info, &error);
  return error;
}

absl::Status WithReasonInText(const absl::Status& error) {
  const std::string reason = ReasonOf(error);
  if (reason.empty()) return error;
  absl::Status told(error.code(), absl::StrCat(reason, ": ", error.message()));
  error.ForEachPayload(
      [&told](absl::string_view type_url, const absl::Cord& payload) { told.SetPayload(type_url, payload); });
  return told;
}

std::string ReasonOf(const absl::Status& error) {
  const auto info = Attached<google::rpc::ErrorInfo>(error);
  return info.has_value() ? info->reason() : "";
}

ErrorMetadata MetadataOf(const absl::Status& error) {
  const auto info = Attached<google::rpc::ErrorInfo>(error);
  if (!info.has_value()) return {};
  return ErrorMetadata(info->metadata().begin(), info->metadata().end());
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& error) {
  const auto retry = Attached<google::rpc::RetryInfo>(error);
  if (!retry.has_value()) return std::nullopt;
  return absl::Seconds(retry->retry_delay().seconds()) + absl::Nanoseconds(retry->retry_delay().nanos());
}

}  // namespace ddsp::server
