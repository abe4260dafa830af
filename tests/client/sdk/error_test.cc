#include "client/sdk/error.h"

#include <grpcpp/support/status.h>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

grpc::Status RichStatus() {
  google::rpc::ErrorInfo info;
  info.set_reason("CREDIT_EXCEEDED");
  info.set_domain("ddsp");
  (*info.mutable_metadata())["credit"] = "16000";
  google::rpc::Status rich;
  rich.set_code(8);
  rich.add_details()->PackFrom(info);
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too much at once", rich.SerializeAsString());
}

TEST(Error, CarriesCodeReasonAndValues) {
  const absl::Status status = FromGrpc(RichStatus());
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "too much at once");
  const auto details = DetailsOf(status);
  ASSERT_TRUE(details.has_value());
  EXPECT_EQ(details->reason, "CREDIT_EXCEEDED");
  EXPECT_THAT(details->metadata, ElementsAre(Pair("credit", "16000")));
  EXPECT_EQ(Describe(status), "RESOURCE_EXHAUSTED: too much at once (CREDIT_EXCEEDED; credit=16000)");
}

TEST(Error, PlainStatusesHaveNoDetails) {
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
  const absl::Status plain = FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "nobody there"));
  EXPECT_FALSE(DetailsOf(plain).has_value());
  EXPECT_EQ(Describe(plain), "UNAVAILABLE: nobody there");
}

TEST(Error, GarbageInTheTrailerIsNoDetail) {
  EXPECT_FALSE(DetailsOf(FromGrpc(grpc::Status(grpc::StatusCode::INTERNAL, "x", "\x08\xFF\xFFgarbage"))).has_value());
}

}  // namespace
}  // namespace ddsp::client
