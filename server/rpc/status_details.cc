#include "server/rpc/status_details.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/status.pb.h"
#include "server/errors/errors.h"

namespace ddsp::server {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));  // the codes are the same
  details.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    google::protobuf::Any* detail = details.add_details();
    detail->set_type_url(std::string(type_url));
    detail->set_value(std::string(payload));
  });
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      details.details().empty() ? "" : details.SerializeAsString());
}

std::map<std::string, std::string> TrailersOf(const absl::Status& status) {
  if (IsQuotaError(status)) return {{"grpc-retry-pushback-ms", "-1"}};
  const std::optional<absl::Duration> delay = RetryDelayOf(status);
  if (!delay.has_value()) return {};
  return {{"grpc-retry-pushback-ms", absl::StrCat(absl::ToInt64Milliseconds(*delay))}};
}

}  // namespace ddsp::server
