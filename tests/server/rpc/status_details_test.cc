#include "server/rpc/status_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

TEST(ToGrpc, OkStaysOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

TEST(ToGrpc, DetailsAreAGoogleRpcStatus) {
  const grpc::Status status = ToGrpc(MakeError(Reason::kCreditExceeded, "too much", {{"credit", "3"}}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), static_cast<int>(grpc::StatusCode::RESOURCE_EXHAUSTED));
  EXPECT_EQ(details.message(), "too much");
  google::rpc::ErrorInfo info;
  ASSERT_EQ(details.details_size(), 1);
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "CREDIT_EXCEEDED");
  EXPECT_EQ(info.domain(), "ddsp.dev");
  EXPECT_EQ(info.metadata().at("credit"), "3");
}

TEST(TrailersOf, PushBackGoesWithRetryAlone) {
  const absl::Status refusal = MakeError(Reason::kSessionSlotsExhausted, "full");
  EXPECT_TRUE(TrailersOf(refusal).empty());
  EXPECT_EQ(TrailersOf(WithRetry(refusal, absl::Milliseconds(1500))).at("grpc-retry-pushback-ms"), "1500");
}

}  // namespace
}  // namespace ddsp::server
