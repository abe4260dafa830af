#include "core/gin/config.h"

#include "absl/strings/str_cat.h"
#include "core/gin/printer.h"
#include "core/gin/reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::gin {
namespace {

using testing::HasSubstr;

Config Parsed(const std::string& text) {
  const auto config = ParseConfig(text, "a.gin");
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : Config();
}

std::string Shown(const absl::StatusOr<Value>& value) {
  return value.ok() ? ToString(*value) : std::string(value.status().message());
}

TEST(Config, AnswersForEverySpellingOfASelector) {
  const Config config = Parsed("synths.Harmonic.n_samples = 320");
  EXPECT_EQ(Shown(config.Get("Harmonic", "n_samples")), "320");
  EXPECT_EQ(Shown(config.Get("ddsp.synths.Harmonic", "n_samples")), "320");
  EXPECT_EQ(config.Get("effects.Harmonic", "n_samples").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(config.Get("monic", "n_samples").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(config.Mentions("Harmonic"));
  EXPECT_FALSE(config.Mentions("Sinusoidal"));
}

TEST(Config, LaterBindingsWinHoweverTheyAreSpelt) {
  EXPECT_EQ(Shown(Parsed("synths.Harmonic.n = 1\nHarmonic.n = 2").Get("synths.Harmonic", "n")), "2");
  EXPECT_EQ(Shown(Parsed("Harmonic.n = 2\nsynths.Harmonic.n = 1").Get("Harmonic", "n")), "1");
}

TEST(Config, InnerScopesWinOverOuterOnes) {
  const Config config = Parsed("Fc.ch = 1\nFc.layers = 9\na/Fc.ch = 2\na/b/Fc.ch = 3\nb/Fc.ch = 4");
  EXPECT_EQ(Shown(config.Get("Fc", "ch")), "1");
  EXPECT_EQ(Shown(config.Get("Fc", "ch", "a")), "2");
  EXPECT_EQ(Shown(config.Get("Fc", "ch", "a/b")), "3");
  EXPECT_EQ(Shown(config.Get("Fc", "ch", "a/c")), "2");
  EXPECT_EQ(Shown(config.Get("Fc", "layers", "a/b")), "9");
}

TEST(Config, ReferencesWithoutAScopePassTheirsOn) {
  const Config config = Parsed("Fc.ch = 1\na/Fc.ch = 2");
  EXPECT_EQ(ToString(config.ParametersOf(Reference{"", "Fc"}, "a")->at("ch")), "2");
  EXPECT_EQ(ToString(config.ParametersOf(Reference{"b", "Fc"}, "a")->at("ch")), "1");
}

TEST(Config, ResolvesMacrosInsideValues) {
  const Config config = Parsed("rate = 16000\nlength = %rate\nC.x = [%length, {'r': (%rate,)}]");
  EXPECT_EQ(Shown(config.Get("C", "x")), "[16000, {'r': (16000,)}]");
  EXPECT_EQ(Shown(config.GetMacro("length")), "16000");
  EXPECT_EQ(config.GetMacro("width").status().code(), absl::StatusCode::kNotFound);
}

TEST(Config, NamesMacrosThatCannotBeResolved) {
  EXPECT_EQ(Shown(Parsed("C.x = [%y]").Get("C", "x")), "a.gin:1:8: no macro %y");
  EXPECT_THAT(Shown(Parsed("a = %b\nb = %a\nC.x = %a").Get("C", "x")),
              HasSubstr("a.gin:2:5: the macro %a is defined by itself: a, b, a"));
}

// Ten macros, each ten of the one before, would be 10^10 values.
TEST(Config, BoundsWhatMacrosGrowInto) {
  std::string text = "m0 = 1\n";
  for (int i = 1; i <= 10; ++i) {
    absl::StrAppend(&text, "m", i, " = [");
    for (int k = 0; k < 10; ++k) absl::StrAppend(&text, "%m", i - 1, ",");
    text += "]\n";
  }
  EXPECT_THAT(Shown(Parsed(text).GetMacro("m10")), HasSubstr("more than 100000 values"));
}

TEST(Print, ReadsBackAsTheSame) {
  const Config config = Parsed(
      "import ddsp\nfrom a import b as c\nn = -1\nc/m = 'it\\'s \"x\" \\n\\x01 \xc3\xa9'\ns/t/nn.Fc.ch = %c/m\n"
      "Fc.x = (1.0, 1e-7, 1e22, 123456789.125, True, None, @s/x, @y())\nFc.y = {'a': ()}\nFc.long = " +
      ("['" + std::string(60, 'x') + "', ('" + std::string(60, 'y') + "',), {1: '" + std::string(70, 'z') + "'}]"));
  const std::string text = Print(config);
  EXPECT_EQ(Parsed(text), config) << text;
  EXPECT_EQ(Print(Parsed(text)), text);
}

TEST(Print, LaysOutAsUpstreamDoes) {
  const Config splits = Parsed("x = (('amps', 1), ('harmonic_distribution', 16), ('noise_magnitudes', 17))");
  EXPECT_EQ(PrintBinding("RnnFcDecoder.output_splits", *splits.GetMacro("x")),
            "RnnFcDecoder.output_splits = \\\n"
            "    (('amps', 1), ('harmonic_distribution', 16), ('noise_magnitudes', 17))\n");
  EXPECT_THAT(Print(Parsed("b = 2\nHarmonic.n = %b\nprocessors.Add.name = 'add'")),
              testing::MatchesRegex("# Macros:\n# =+\nb = 2\n\n# Parameters for processors.Add:\n# =+\n"
                                    "processors.Add.name = 'add'\n\n"
                                    "# Parameters for Harmonic:\n# =+\nHarmonic.n = %b\n"));
}

}  // namespace
}  // namespace ddsp::gin
