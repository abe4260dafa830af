#include "client/sdk/server_rotation.h"

#include "client/sdk/server_list.h"
#include "core/base/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

const absl::Status kGone = absl::UnavailableError("gone");
const absl::Status kLost = absl::DataLossError("no such state");

class ServerRotationTest : public ::testing::Test {
 protected:
  // The address and whether there is a pause before it: "b", "a..."; "" is giving up.
  std::string Next(const absl::Status& error) {
    const auto attempt = rotation_.Next(error, clock_.Now());
    if (!attempt) return "";
    EXPECT_EQ(attempt->address, rotation_.current());
    clock_.Advance(attempt->pause);
    return attempt->address + (attempt->pause > absl::ZeroDuration() ? "..." : "");
  }
  std::vector<std::string> servers_ = {"a", "b", "c"};
  ServerRotation rotation_{
      [this] { return servers_; }, {.first_pause = absl::Milliseconds(100), .give_up_after = absl::Seconds(1)}, 1};
  SimClock clock_;
};

TEST_F(ServerRotationTest, BeginsWithTheFirst) { EXPECT_EQ(rotation_.current(), "a"); }

TEST_F(ServerRotationTest, GoesToTheOthersAtOnceAndToTheOldOneLast) {
  EXPECT_EQ(Next(kGone), "b");
  EXPECT_EQ(Next(kGone), "c");
  EXPECT_EQ(Next(kGone), "a");
  EXPECT_EQ(Next(kGone), "b...") << "another round";
}

TEST_F(ServerRotationTest, AMoveAfterASuccessHasNoPause) {
  EXPECT_EQ(Next(kGone), "b");
  rotation_.Reset();
  EXPECT_EQ(Next(kGone), "c");
  rotation_.Reset();
  EXPECT_EQ(Next(kGone), "a");
}

TEST_F(ServerRotationTest, GivesUpWhenTheTimeIsOver) {
  int attempts = 0;
  while (!Next(kGone).empty()) ASSERT_LT(++attempts, 100);
  EXPECT_GT(attempts, 6);
  EXPECT_LE(clock_.Now() - absl::UnixEpoch(), absl::Seconds(1));
}

TEST_F(ServerRotationTest, GivesUpAtOnceWhereNobodyCanHelp) {
  EXPECT_EQ(Next(kGone), "b");
  EXPECT_EQ(Next(kLost), "c");
  EXPECT_EQ(Next(kLost), "a");
  EXPECT_EQ(Next(kLost), "");
}

TEST_F(ServerRotationTest, HopesAsLongAsOneMayComeBack) {
  EXPECT_EQ(Next(kGone), "b");
  EXPECT_EQ(Next(kLost), "c");
  EXPECT_EQ(Next(kLost), "a");
  EXPECT_EQ(Next(kGone), "b...");
}

TEST_F(ServerRotationTest, LooksForNewServersInEachRound) {
  servers_ = {"d", "a"};
  EXPECT_EQ(Next(kGone), "d");
  EXPECT_EQ(Next(kGone), "a");
  servers_ = {"e"};
  EXPECT_EQ(Next(kGone), "e...");
}

TEST(ServerList, AListIsSplit) {
  EXPECT_THAT(*SplitServers("localhost:1,b:2"), ElementsAre("localhost:1", "b:2"));
  EXPECT_THAT(*SplitServers("ipv4:10.0.0.1:1,10.0.0.2:2"), ElementsAre("ipv4:10.0.0.1:1", "ipv4:10.0.0.2:2"));
  EXPECT_THAT(*SplitServers("dns:///localhost:1"), ElementsAre("dns:///localhost:1"));
  for (const char* bad : {"", "a:1,", ",a:1"}) {
    EXPECT_EQ(SplitServers(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(ServerList, NamesAreLookedUp) {
  EXPECT_THAT(ResolveServers({"dns:///localhost:81"}), Each(::testing::MatchesRegex("ipv[46]:.*:81")));
  EXPECT_THAT(ResolveServers({"localhost:1", "unix:/tmp/x"}), ElementsAre("localhost:1", "unix:/tmp/x"));
}

}  // namespace
}  // namespace ddsp::client
