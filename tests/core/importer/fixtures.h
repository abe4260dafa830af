// The training directories of testdata/golden/models/import, and copies of them to damage.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/file.h"

namespace ddsp::importer {

inline std::string Fixture(const std::string& name) { return DDSP_TESTDATA "/golden/models/import/" + name; }
inline std::string FixturePrefix(const std::string& name) {
  return Fixture(name) + (name == "solo_legacy_slots" ? "/ckpt-3" : "/ckpt-4");
}

// A directory of this test, empty; removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory()
      : path_(std::filesystem::temp_directory_path() /
              ("ddsp_importer_" + std::to_string(getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  std::string operator/(std::string_view name) const { return path_ / name; }
  std::string path() const { return path_.string(); }
  // Copies a fixture's files here.
  void CopyFixture(const std::string& name) const {
    std::filesystem::copy(Fixture(name), path_, std::filesystem::copy_options::recursive);
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
  }
  void Write(std::string_view name, std::string_view content) const {
    ASSERT_TRUE(WriteFileAtomically(*this / name, content).ok());
  }

 private:
  const std::filesystem::path path_;
};

}  // namespace ddsp::importer
