#include "client/cli/exit_code.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ddsp::client {
namespace {

constexpr char kPayload[] = "ddsp/exit-code";

}  // namespace

absl::Status WithExitCode(absl::Status error, ExitCode code) {
  error.SetPayload(kPayload, absl::Cord(absl::StrCat(static_cast<int>(code))));
  return error;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  int code = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &code)) return ExitCode::kFailure;
  return static_cast<ExitCode>(code);
}

}  // namespace ddsp::client
