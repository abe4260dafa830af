#include "core/gin/parser.h"

#include "core/gin/reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::gin {
namespace {

using testing::HasSubstr;

Value ValueOf(const std::string& text) {
  const auto config = ParseConfig("x = " + text);
  EXPECT_TRUE(config.ok()) << text << ": " << config.status();
  return config.ok() ? config->macros().at("x").value : Value();
}

std::string ErrorOf(const std::string& text) {
  return std::string(ParseConfig(text, "a.gin").status().message());
}

TEST(Parser, ReadsLiteralsOfPython) {
  EXPECT_EQ(ValueOf("1_000"), Value(int64_t{1000}));
  EXPECT_EQ(ValueOf("-0x1F"), Value(int64_t{-31}));
  EXPECT_EQ(ValueOf("1e-07"), Value(1e-7));
  EXPECT_EQ(ValueOf(".5"), Value(0.5));
  EXPECT_EQ(ValueOf("True"), Value(true));
  EXPECT_EQ(ValueOf("None"), Value(None()));
  EXPECT_FALSE(ValueOf("1") == ValueOf("1.0"));
}

TEST(Parser, ReadsTextsWithEscapesPrefixesAndParts) {
  EXPECT_EQ(ValueOf(R"('it''s')"), Value(std::string("its")));
  EXPECT_EQ(ValueOf(R"(('a'
                        "b"))"),
            Value(std::string("ab")));
  EXPECT_EQ(ValueOf(R"('\t\x41\u00e9\'\\')"), Value(std::string("\tA\xc3\xa9'\\")));
  EXPECT_EQ(ValueOf(R"(r'\t')"), Value(std::string("\\t")));
  EXPECT_EQ(ValueOf("'''two\nlines'''"), Value(std::string("two\nlines")));
  EXPECT_EQ(ValueOf("'on \\\none line'"), Value(std::string("on one line")));
  EXPECT_EQ(ValueOf("'# no comment'  # a comment"), Value(std::string("# no comment")));
}

TEST(Parser, ReadsContainersOverSeveralLines) {
  const Value dag = ValueOf("[\n  (@synths.Harmonic(), ['amps',\n 'f0_hz']),  # why\n  (@add/Add(),\n   []),\n]");
  ASSERT_NE(dag.items(), nullptr);
  EXPECT_EQ(ToString(dag), "[(@synths.Harmonic(), ['amps', 'f0_hz']), (@add/Add(), [])]");
  EXPECT_EQ(ToString(ValueOf("{'a': 1, 'b': (2,), 3: {}}")), "{'a': 1, 'b': (2,), 3: {}}");
  EXPECT_EQ(ToString(ValueOf("\\\n    ((1), (1,), ())")), "(1, (1,), ())");
}

TEST(Parser, ReadsReferencesAndMacrosWithScopes) {
  EXPECT_EQ(ValueOf("@a/b/nn.Fc"), Value(Reference{"a/b", "nn.Fc", Reference::Form::kItself}));
  EXPECT_EQ(ValueOf("@Fc()"), Value(Reference{"", "Fc", Reference::Form::kCalled}));
  EXPECT_EQ(ValueOf("%a/size"), Value(Macro{"a/size"}));
}

TEST(Parser, ReadsBlocksLikeSingleBindings) {
  const auto block = ParseConfig("import ddsp\ns/nn.Fc:\n    ch = 3\n\n    # why\n    layers = [1,\n 2]\nx = 4\n");
  const auto lines = ParseConfig("import ddsp\ns/nn.Fc.ch = 3\ns/nn.Fc.layers = [1, 2]\nx = 4");
  ASSERT_TRUE(block.ok()) << block.status();
  EXPECT_EQ(*block, *lines);
}

TEST(Parser, ReadsImportsOfAllForms) {
  const auto config = ParseConfig("import ddsp.training as t\nfrom ddsp import core as c\nimport a");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->imports(),
              testing::ElementsAre("import ddsp.training as t", "from ddsp import core as c", "import a"));
}

struct BadText {
  const char* text;
  const char* error;
};

TEST(Parser, RejectsWithFileLineAndColumn) {
  constexpr BadText kBad[] = {
      {"a.b = ", "a.gin:1:7: expected a value, found the end of the line"},
      {"a.b 3", "a.gin:1:5: expected '=', found '3'"},
      {"a.b = 1 2", "a.gin:1:9: expected the end of the line"},
      {"\n\n a.b = [1, (2]", "a.gin:3:14: ']' closes no bracket"},
      {"a.b = [1,\n2", "a.gin:1:7: the bracket is not closed"},
      {"a.b = 'x", "a.gin:1:7: the text has no closing quote"},
      {"a.b = $x", "a.gin:1:7: unexpected '$'"},
      {"a.b = \xc3\x28", "a.gin:1:7: the text is not UTF-8"},
      {"a.b = 12abc", "a.gin:1:7: '12abc' is no number"},
      {"a.b = 007", "starts with 0"},
      {"a.b = 99999999999999999999", "does not fit 64 bits"},
      {"a.b = 1e999", "out of range"},
      {"a.b = b'x'", "prefix b"},
      {"a.b = '\\xg0'", "an escape needs 2 digits"},
      {"a.b = '\\ud800'", "no character"},
      {"a.b = {1: 2, 3}", "expected ':', found '}'"},
      {"a .b = 1", "'.' must stand between two names"},
      {"a.b = @ x", "a name right after '@'"},
      {"a.b = yes", "expected a value, found 'yes'"},
      {"a.b = \\ 1", "something follows the backslash"},
      {"Fc:\nx = 1", "expected an indented parameter of Fc"},
      {"Fc:\n  a = 1\n    b = 2", "a.gin:3:5: the indentation changes inside a block"},
      {"Fc:\n  a.c = 1", "expected the name of a parameter"},
      {"include 3", "expected '='"},
  };
  for (const BadText& bad : kBad) EXPECT_THAT(ErrorOf(bad.text), HasSubstr(bad.error)) << bad.text;
}

TEST(Parser, GivesPositionsWithErrors) {
  const auto position = PositionOf(ParseConfig("\nx = }", "dir/a.gin").status());
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(ToString(*position), "dir/a.gin:2:5");
  EXPECT_FALSE(PositionOf(absl::NotFoundError("x")).has_value());
}

TEST(Parser, BoundsTheDepthOfBrackets) {
  EXPECT_THAT(ErrorOf("x = " + std::string(100000, '(')), HasSubstr("not closed"));
  EXPECT_THAT(ErrorOf("x = " + std::string(1000, '[') + std::string(1000, ']')), HasSubstr("100 brackets deep"));
}

}  // namespace
}  // namespace ddsp::gin
