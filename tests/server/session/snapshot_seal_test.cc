#include "server/session/snapshot_seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/base/file.h"
#include "server/errors/errors.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

using ::ddsp::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Key(char letter) { return std::string(32, letter); }

v1::SessionState SomeState() {
  v1::SessionState state;
  state.set_voice("violin/1");
  state.set_engine("engine");
  return state;
}

TEST(SnapshotSeal, OpensWhatItSealed) {
  SimClock clock;
  const SnapshotSeal seal({.keys = {Key('a')}}, clock);
  v1::SessionState state = SomeState();
  const auto opened = seal.Open(seal.Seal(state));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->SerializeAsString(), state.SerializeAsString());
}

TEST(SnapshotSeal, ReplicasWithTheKeyOpenIt) {
  SimClock clock;
  v1::SessionState state = SomeState();
  const std::string sealed = SnapshotSeal({.keys = {Key('a')}}, clock).Seal(state);
  EXPECT_TRUE(SnapshotSeal({.keys = {Key('b'), Key('a')}}, clock).Open(sealed).ok());
  EXPECT_EQ(ReasonOf(SnapshotSeal({.keys = {Key('b')}}, clock).Open(sealed).status()), "SNAPSHOT_INVALID");
}

TEST(SnapshotSeal, WithoutAKeyEveryProcessHasItsOwn) {
  SimClock clock;
  const SnapshotSeal mine({}, clock), other({}, clock);
  v1::SessionState state = SomeState();
  const std::string sealed = mine.Seal(state);
  EXPECT_TRUE(mine.Open(sealed).ok());
  EXPECT_EQ(ReasonOf(other.Open(sealed).status()), "SNAPSHOT_INVALID");
}

TEST(SnapshotSeal, NoticesEveryChangedByteAndEveryCut) {
  SimClock clock;
  const SnapshotSeal seal({.keys = {Key('a')}}, clock);
  v1::SessionState state = SomeState();
  const std::string sealed = seal.Seal(state);
  for (size_t at = 0; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] ^= 1;
    EXPECT_EQ(ReasonOf(seal.Open(changed).status()), "SNAPSHOT_INVALID") << at;
    EXPECT_EQ(ReasonOf(seal.Open(sealed.substr(0, at)).status()), "SNAPSHOT_INVALID") << at;
  }
  EXPECT_EQ(ReasonOf(seal.Open(sealed + "x").status()), "SNAPSHOT_INVALID");
}

TEST(SnapshotSeal, OldOnesAreNotOpened) {
  SimClock clock;
  const SnapshotSeal seal({.keys = {Key('a')}, .lifetime = absl::Seconds(60)}, clock);
  v1::SessionState state = SomeState();
  const std::string sealed = seal.Seal(state);
  clock.Advance(absl::Seconds(60));
  EXPECT_TRUE(seal.Open(sealed).ok());
  clock.Advance(absl::Seconds(1));
  const absl::Status error = seal.Open(sealed).status();
  EXPECT_EQ(ReasonOf(error), "SNAPSHOT_INVALID");
  EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MetadataOf(error)["age_seconds"], "61");
}

TEST(ReadSessionKeys, ReadsALineForEachAndNamesBadOnes) {
  const TempDir folder;
  const std::string path = folder.path() + "/keys";
  ASSERT_TRUE(WriteFileAtomically(path, Key('a') + "\n\n" + Key('b') + "\n").ok());
  EXPECT_THAT(*ReadSessionKeys(path), ElementsAre(Key('a'), Key('b')));
  ASSERT_TRUE(WriteFileAtomically(path, Key('a') + "\nshort-secret\n").ok());
  const absl::Status error = ReadSessionKeys(path).status();
  EXPECT_THAT(error.message(), HasSubstr("line 2"));
  EXPECT_THAT(error.message(), Not(HasSubstr("short-secret")));
  ASSERT_TRUE(WriteFileAtomically(path, "\n").ok());
  EXPECT_FALSE(ReadSessionKeys(path).ok());
  EXPECT_FALSE(ReadSessionKeys(folder.path() + "/none").ok());
}

}  // namespace
}  // namespace ddsp::server
