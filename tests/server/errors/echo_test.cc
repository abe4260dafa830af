#include "server/errors/echo.h"

#include <gtest/gtest.h>

#include "core/base/utf8.h"

namespace ddsp::server {
namespace {

TEST(Echo, RepeatsWhatIsShortAndPlain) {
  EXPECT_EQ(Echo(""), "");
  EXPECT_EQ(Echo("violin/3"), "violin/3");
  EXPECT_EQ(Echo("g\xc3\xa9ige \xf0\x9f\x8e\xbb"), "g\xc3\xa9ige \xf0\x9f\x8e\xbb");
}

TEST(Echo, CutsBetweenCharacters) {
  EXPECT_EQ(Echo(std::string(100, 'x')), std::string(kMostEcho, 'x'));
  const std::string violins = "\xf0\x9f\x8e\xbb\xf0\x9f\x8e\xbb";
  for (size_t longest = 0; longest <= violins.size() + 1; ++longest) {
    EXPECT_EQ(Echo(violins, longest), violins.substr(0, longest / 4 * 4)) << longest;
  }
}

TEST(Echo, EscapesWhatWouldBreakALine) { EXPECT_EQ(Echo("a\n'b'\x7f"), "a\\n\\'b\\'\\177"); }

// Paths of HTTP may hold any bytes; what is made of them is text.
TEST(Echo, EscapesBytesThatAreNoText) {
  EXPECT_EQ(Echo("/Sing\xff\xc3\xa9"), "/Sing\\377\\303\\251");
  EXPECT_EQ(Echo(std::string(200, '\x80'), 4), "\\200");
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(FirstNoText(Echo(std::string(9, static_cast<char>(byte)), 5)), std::nullopt) << byte;
  }
}

}  // namespace
}  // namespace ddsp::server
