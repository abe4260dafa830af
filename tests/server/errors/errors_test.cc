#include "server/errors/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace ddsp::server {
namespace {

TEST(MakeError, CarriesCodeReasonAndValues) {
  const absl::Status error =
      MakeError(Reason::kBlockSequenceGap, "seq 7 came where 5 was due", {{"expected", "5"}, {"got", "7"}});
  EXPECT_EQ(error.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReasonOf(error), "BLOCK_SEQUENCE_GAP");
  EXPECT_EQ(MetadataOf(error), (ErrorMetadata{{"expected", "5"}, {"got", "7"}}));
}

TEST(MakeError, NamesAreUniqueAndUpperSnake) {
  std::set<std::string_view> names;
  for (const Reason reason : AllReasons()) {
    const std::string_view name = NameOf(reason);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_LE(name.size(), 63u);
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), std::string_view::npos) << name;
  }
}

TEST(WithMetadata, KeepsWhatWasThere) {
  const absl::Status error =
      WithMetadata(MakeError(Reason::kAudioNotFinite, "sample 3 is nan", {{"sample", "3"}}), {{"more", "1"}});
  EXPECT_EQ(MetadataOf(error), (ErrorMetadata{{"sample", "3"}, {"more", "1"}}));
}

TEST(WithMetadata, LeavesOthersStatusesAlone) {
  EXPECT_EQ(WithMetadata(absl::CancelledError("gone"), {{"a", "b"}}), absl::CancelledError("gone"));
}

TEST(WithRetry, RoundTrips) {
  const absl::Duration delay = absl::Milliseconds(1250);
  EXPECT_EQ(RetryDelayOf(WithRetry(MakeError(Reason::kServerDraining, "draining"), delay)), delay);
  EXPECT_EQ(RetryDelayOf(MakeError(Reason::kServerDraining, "draining")), std::nullopt);
}

}  // namespace
}  // namespace ddsp::server
