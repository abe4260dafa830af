#include "client/cli/http_get.h"

#include "absl/strings/str_cat.h"
#include "core/artifacts/http_client.h"

namespace ddsp::client {
namespace {

constexpr int64_t kLongestAnswer = int64_t{64} << 20;

bool IsHostPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  return colon != std::string::npos && colon > 0 && colon + 1 < address.size();
}

}  // namespace

absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path, absl::Duration timeout) {
  if (!IsHostPort(address)) return absl::InvalidArgumentError(absl::StrCat("'", address, "' is not HOST:PORT"));
  HttpClient client({.connect_timeout = timeout, .attempt_timeout = timeout, .attempts = 1});
  absl::StatusOr<HttpResponse> response =
      client.Send({.url = absl::StrCat("http://", address, path), .max_body_bytes = kLongestAnswer});
  if (absl::IsUnavailable(response.status())) return response.status();
  if (!response.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(response.status().message(), "; is ", address, " the metrics port?"));
  }
  if (response->status != 200) {
    return absl::FailedPreconditionError(absl::StrCat(address, path, ": HTTP ", response->status));
  }
  return std::move(response->body);
}

}  // namespace ddsp::client
