#include "server/session/credit_window.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ddsp::server {
namespace {

TEST(CreditWindow, TakesOrRefusesWhole) {
  CreditWindow window(100);
  EXPECT_TRUE(window.Take(60));
  EXPECT_FALSE(window.Take(41));
  EXPECT_EQ(window.left(), 40);
  EXPECT_TRUE(window.Take(40));
}

TEST(CreditWindow, GrantsWhenHalfIsUsed) {
  CreditWindow window(100);
  ASSERT_TRUE(window.Take(49));
  EXPECT_EQ(window.Used(49), 0);  // 51 are left: enough
  ASSERT_TRUE(window.Take(1));
  EXPECT_EQ(window.Used(50), 50);
  EXPECT_EQ(window.left(), 100);
  EXPECT_EQ(window.Used(50), 0);
}

// Theorem: a sender of messages of at most half the window, whose receiver uses up all but a residue that fits the
// other half, never waits for ever.
TEST(CreditWindow, NoMessageOfHalfAWindowWaitsForEver) {
  for (const int64_t message : {1, 7, 320, 499, 500}) {
    CreditWindow window(1000);
    int64_t sent = 0, used = 0;
    while (sent < 100000) {
      if (!window.Take(message)) {
        ASSERT_GT(window.Used(used), 0) << "stuck with " << window.left() << " for " << message;
        continue;
      }
      sent += message;
      used = std::max<int64_t>(0, sent - 320);  // the receiver holds back part of a hop
    }
  }
}

}  // namespace
}  // namespace ddsp::server
