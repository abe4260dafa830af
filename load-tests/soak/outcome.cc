#include "load-tests/soak/outcome.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/sdk/error.h"

namespace ddsp::soak {

std::string EndOf(const absl::Status& status) {
  const std::string reason = client::ReasonOf(status);
  return reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
}

std::string EndOf(const grpc::Status& status) { return EndOf(client::FromGrpc(status)); }

absl::Status Expect(const absl::Status& status, std::initializer_list<const char*> expected) {
  const std::string end = EndOf(status);
  if (std::any_of(expected.begin(), expected.end(), [&](const char* name) { return end == name; })) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      absl::StrCat("ended with ", client::Describe(status), " instead of ", absl::StrJoin(expected, " or ")));
}

absl::Status Expect(const grpc::Status& status, std::initializer_list<const char*> expected) {
  return Expect(client::FromGrpc(status), expected);
}

absl::Status ExpectCount(const char* what, int64_t expected, int64_t got) {
  if (expected == got) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(got, " ", what, " instead of ", expected));
}

}  // namespace ddsp::soak
