#include "core/base/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace ddsp {
namespace {

TEST(FirstNoText, PassesTextAndFindsTheFirstByteThatIsNone) {
  EXPECT_EQ(FirstNoText(""), std::nullopt);
  EXPECT_EQ(FirstNoText("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xbb"), std::nullopt);
  const std::pair<std::string, size_t> kBad[] = {
      {std::string("ab\0c", 4), 2},
      {"a\x80", 1},
      {"\xc3", 0},
      {"\xc0\xaf", 0},
      {"ok\xe0\x80\xaf", 2},
      {"\xed\xa0\x80", 0},
      {"\xf4\x90\x80\x80", 0},
      {"\xf5\x80\x80\x80", 0},
      {"\xf0\x8f\xbf\xbf", 0},
      {"\xe2\x82", 0},
      {"x\xc3(", 1},
  };
  for (const auto& [text, at] : kBad) EXPECT_EQ(FirstNoText(text), at) << testing::PrintToString(text);
}

}  // namespace
}  // namespace ddsp
