#include "server/rpc/orca_service.h"

#include <gtest/gtest.h>

#include "xds/data/orca/v3/orca_load_report.pb.h"

namespace ddsp::server {
namespace {

TEST(ToOrca, SaysWhatLimitsTheServerMost) {
  xds::data::orca::v3::OrcaLoadReport report;
  ASSERT_TRUE(report.ParseFromString(
      ToOrca({.slots = 0.25, .device = 0.75, .cpu = 0.5, .memory = 0.1, .calls = 12, .errors = 1})));
  EXPECT_EQ(report.application_utilization(), 0.75);
  EXPECT_EQ(report.named_metrics().at("slot_utilization"), 0.25);
  EXPECT_EQ(report.named_metrics().at("device_utilization"), 0.75);
  EXPECT_EQ(report.cpu_utilization(), 0.5);
  EXPECT_EQ(report.mem_utilization(), 0.1);
  EXPECT_EQ(report.rps_fractional(), 12);
  EXPECT_EQ(report.eps(), 1);
}

}  // namespace
}  // namespace ddsp::server
