#include "server/registry/repository_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;

class RepositoryTest : public ::testing::Test {
 protected:
  RepositoryTest() {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  ~RepositoryTest() override { fs::remove_all(directory_); }

  void Publish(int64_t version) {
    Voice voice = *ddsp::testing::MakeGoldenVoice({.name = "kazoo"});
    voice.version = version;
    const fs::path path = directory_ / "kazoo" / absl::StrCat(version);
    fs::create_directories(path.parent_path());
    ASSERT_TRUE(WriteBundle(path, voice, WeightStorage::kFloat32).ok());
  }

  const fs::path directory_ = fs::path(::testing::TempDir()) / "server_repository_test";
};

TEST_F(RepositoryTest, LoadsEveryVersionWithItsAliases) {
  Publish(1);
  Publish(2);
  std::ofstream(directory_ / "kazoo" / "aliases.textproto") << "versions { key: 'champion' value: 1 }";
  auto voices = LoadRepository(directory_, 3);
  ASSERT_TRUE(voices.ok()) << voices.status();
  ASSERT_EQ(voices->size(), 2u);
  EXPECT_EQ((*voices)[0].engine->slots(), 3);
  const Registry registry(*std::move(voices), *MakeFeatureEngine(3));
  EXPECT_EQ((*registry.Resolve("kazoo"))->id(), "kazoo/2");
  EXPECT_EQ((*registry.Resolve("kazoo@champion"))->id(), "kazoo/1");
}

TEST_F(RepositoryTest, AnEmptyRepositoryHasNoVoices) { EXPECT_EQ(LoadRepository(directory_, 1)->size(), 0u); }

TEST_F(RepositoryTest, NoRepositoryIsAnError) {
  EXPECT_EQ(LoadRepository(directory_ / "missing", 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RepositoryTest, ADamagedVoiceIsNamed) {
  Publish(1);
  std::fstream weights(directory_ / "kazoo/1/weights.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  weights.seekp(-1, std::ios::end);
  weights.put('\x5a');
  weights.close();
  const absl::Status error = LoadRepository(directory_, 1).status();
  EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(error.message()), ::testing::HasSubstr("kazoo/1"));
}

}  // namespace
}  // namespace ddsp::server
