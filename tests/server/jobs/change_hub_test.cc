#include "server/jobs/change_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ddsp::server {
namespace {

using testing::ElementsAre;

TEST(ChangeHub, TellsEveryListenerUntilItGoes) {
  ChangeHub hub;
  std::vector<std::string> first, second;
  auto one = hub.Subscribe([&](const std::string& id) { first.push_back(id); });
  auto two = hub.Subscribe([&](const std::string& id) { second.push_back(id); });
  hub.Publish("a");
  one.reset();
  hub.Publish("b");
  EXPECT_THAT(first, ElementsAre("a"));
  EXPECT_THAT(second, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace ddsp::server
