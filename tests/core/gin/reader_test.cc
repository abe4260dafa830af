#include "core/gin/reader.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::gin {
namespace {

using testing::HasSubstr;

using Texts = std::map<std::string, std::string>;

class MapFiles : public IncludeResolver {
 public:
  explicit MapFiles(Texts files) : files_(std::move(files)) {}
  absl::StatusOr<File> Open(const std::string& path, const std::string&) const override {
    const auto it = files_.find(path);
    if (it == files_.end()) return absl::NotFoundError(absl::StrCat("no file ", path));
    return File{path, it->second};
  }

 private:
  const Texts files_;
};

std::string Shown(const Config& config, const std::string& macro) { return ToString(*config.GetMacro(macro)); }

TEST(Reader, AnIncludeStandsForItsStatements) {
  const MapFiles files(Texts{{"base.gin", "a = 1\nb = 1"}});
  const auto config = ParseConfig("a = 0\ninclude 'base.gin'\nb = 2", "x.gin", files);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(Shown(*config, "a"), "1");
  EXPECT_EQ(Shown(*config, "b"), "2");
}

TEST(Reader, OneFileMayBeIncludedTwiceButNotInsideItself) {
  const MapFiles files(Texts{{"a.gin", "include 'c.gin'"}, {"b.gin", "include 'c.gin'"}, {"c.gin", "x = 1"},
                        {"loop.gin", "y = 1\n  include 'back.gin'"}, {"back.gin", "include 'loop.gin'"}});
  EXPECT_TRUE(ParseConfig("include 'a.gin'\ninclude 'b.gin'", "x.gin", files).ok());
  EXPECT_EQ(std::string(ParseConfig("include 'loop.gin'", "x.gin", files).status().message()),
            "back.gin:1:1: files include each other in a circle: x.gin, loop.gin, back.gin, loop.gin");
}

TEST(Reader, ErrorsNameTheFileTheyAreIn) {
  const MapFiles files(Texts{{"bad.gin", "x = 1\ny = ]"}});
  EXPECT_THAT(std::string(ParseConfig("include 'bad.gin'", "x.gin", files).status().message()),
              HasSubstr("bad.gin:2:5: "));
  EXPECT_EQ(std::string(ParseConfig("\ninclude 'none.gin'", "x.gin", files).status().message()),
            "x.gin:2:1: include: no file none.gin");
  EXPECT_THAT(std::string(ParseConfig("include '/etc/passwd'").status().message()), HasSubstr("cannot be included"));
}

TEST(Reader, FindsFilesBesideTheIncludingOneAndOnSearchPaths) {
  const std::string directory = testing::TempDir() + "/gin_reader";
  ASSERT_EQ(system(("mkdir -p " + directory + "/models " + directory + "/shared/eval").c_str()), 0);
  ASSERT_TRUE(WriteFileAtomically(directory + "/models/a.gin", "include 'b.gin'\ninclude 'eval/c.gin'").ok());
  ASSERT_TRUE(WriteFileAtomically(directory + "/models/b.gin", "b = 1").ok());
  ASSERT_TRUE(WriteFileAtomically(directory + "/shared/eval/c.gin", "c = 2").ok());
  EXPECT_FALSE(ReadConfig(directory + "/models/a.gin").ok());
  const auto config = ReadConfig(directory + "/models/a.gin", DiskFiles({directory + "/shared"}));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(Shown(*config, "b"), "1");
  EXPECT_EQ(Shown(*config, "c"), "2");
}

TEST(Reader, OverridesWinOverEveryFile) {
  Config config = *ParseConfig("n = 1\nsynths.Harmonic.x = %n");
  ASSERT_TRUE(Override({"n=2", "Harmonic.x = (%n, 'a')"}, &config).ok());
  EXPECT_EQ(ToString(*config.Get("synths.Harmonic", "x")), "(2, 'a')");
  EXPECT_EQ(std::string(Override({"n=3", "n="}, &config).message()),
            "gin_param 2:1:3: expected a value, found the end of the line");
  EXPECT_EQ(Shown(config, "n"), "2");
}

}  // namespace
}  // namespace ddsp::gin
