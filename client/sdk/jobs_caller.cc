#include "client/sdk/jobs_caller.h"

namespace ddsp::client {

absl::Status JobsCaller::Judge(const grpc::Status& status) {
  absl::Status judged = FromGrpc(status);
  if (judged.ok() || !IsPassing(judged) || DetailsOf(judged)) met_ = true;
  if (!absl::IsCancelled(judged)) return judged;
  if (options_.cancellation != nullptr) RETURN_IF_ERROR(options_.cancellation->status());
  return absl::UnavailableError("the server ended the call");
}

absl::Status JobsCaller::Pause(const absl::Status& error, Backoff* backoff) const {
  const std::optional<absl::Duration> pause = backoff->Next(error, options_.clock->Now(), met_);
  if (!pause) return error;
  if (options_.pause) {
    options_.pause(*pause);
  } else if (options_.cancellation != nullptr) {
    options_.cancellation->SleepFor(*pause);
  } else {
    absl::SleepFor(*pause);
  }
  return options_.cancellation != nullptr ? options_.cancellation->status() : absl::OkStatus();
}

}  // namespace ddsp::client
