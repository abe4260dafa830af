#include "server/tracing/trace_context.h"

#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

constexpr char kTrace[] = "0af7651916cd43dd8448eb211c80319c", kSpan[] = "b7ad6b7169203331";

TEST(Traceparent, RoundTrips) {
  const std::string header = std::string("00-") + kTrace + "-" + kSpan + "-01";
  const auto context = ParseTraceparent(header);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(HexOf(context->trace_id), kTrace);
  EXPECT_EQ(HexOf(context->span_id), kSpan);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(ToTraceparent(*context), header);
}

TEST(Traceparent, FlagsAreBits) {
  EXPECT_FALSE(ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled);
  EXPECT_TRUE(ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff")->sampled);
}

// https://www.w3.org/TR/trace-context/: what breaks a rule is as if it were not there.
TEST(Traceparent, WhatIsNoneIsNone) {
  for (const char* header : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                             "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                             "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(ParseTraceparent(header).has_value()) << header;
  }
}

TEST(Traceparent, LaterVersionsMaySayMore) {
  EXPECT_TRUE(ParseTraceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").has_value());
  EXPECT_FALSE(ParseTraceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more").has_value());
}

std::string TraceBin() {
  std::string bytes(1, '\0');
  bytes += std::string("\0", 1) + std::string(16, '\x0a');
  bytes += std::string("\1") + std::string(8, '\x0b');
  return bytes + std::string("\2\1");
}

TEST(GrpcTraceBin, IsRead) {
  const auto context = ParseGrpcTraceBin(TraceBin());
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(HexOf(context->trace_id), std::string("0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"));
  EXPECT_EQ(HexOf(context->span_id), "0b0b0b0b0b0b0b0b");
  EXPECT_TRUE(context->sampled);
}

TEST(GrpcTraceBin, WhatIsNoneIsNone) {
  for (size_t size = 0; size < TraceBin().size(); ++size) EXPECT_FALSE(ParseGrpcTraceBin(TraceBin().substr(0, size)));
  for (const size_t at : {0, 1, 18, 27}) {
    std::string bytes = TraceBin();
    bytes[at] = '\x7f';
    EXPECT_FALSE(ParseGrpcTraceBin(bytes)) << at;
  }
}

}  // namespace
}  // namespace ddsp::server
