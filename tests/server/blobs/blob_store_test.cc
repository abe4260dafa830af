#include "server/blobs/blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string SomeBytes(size_t size, uint32_t seed = 1) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return bytes;
}

class BlobStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / "ddsp_blobs_XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    options_.folder = folder_;
    Reopen();
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  void Reopen() {
    store_.reset();
    auto store = BlobStore::Open(options_, clock_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  absl::StatusOr<UploadStatus> Append(const std::string& sha256, int64_t offset, std::string_view bytes) {
    return store_->Append(sha256, offset, bytes, Crc32c(bytes));
  }
  // In parts of `part` bytes.
  void UploadWhole(const std::string& bytes, size_t part = 1000) {
    const std::string sha256 = Sha256Hex(bytes);
    auto status = store_->BeginUpload(sha256, static_cast<int64_t>(bytes.size()));
    while (status.ok() && !status->complete) {
      status = Append(sha256, status->offset, std::string_view(bytes).substr(status->offset, part));
    }
    ASSERT_TRUE(status.ok()) << status.status();
  }
  size_t FilesIn(const std::string& name) {
    size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/" + name)) files += entry.is_regular_file();
    return files;
  }

  std::string folder_;
  SimClock clock_;
  BlobStoreOptions options_;
  std::unique_ptr<BlobStore> store_;
};

TEST_F(BlobStoreTest, GivesBackWhatWasUploadedInAnyParts) {
  for (const size_t size : {0, 1, 999, 1000, 1001, 3000, 7919}) {
    const std::string bytes = SomeBytes(size, static_cast<uint32_t>(size));
    const std::string sha256 = Sha256Hex(bytes);
    UploadWhole(bytes);
    EXPECT_EQ(*store_->SizeOf(sha256), size);
    EXPECT_EQ(*store_->Read(sha256, 0, 10'000), bytes);
    EXPECT_EQ(*store_->Read(sha256, 900, 200), size < 900 ? "" : bytes.substr(900, 200));
    EXPECT_EQ(*ReadFile(*store_->PathOf(sha256)), bytes);
  }
  EXPECT_EQ(FilesIn("uploads"), 0u);
}

TEST_F(BlobStoreTest, GoesOnWhereAnUploadStopped) {
  const std::string bytes = SomeBytes(5000);
  const std::string sha256 = Sha256Hex(bytes);
  ASSERT_TRUE(store_->BeginUpload(sha256, 5000).ok());
  ASSERT_TRUE(Append(sha256, 0, bytes.substr(0, 3000)).ok());
  EXPECT_EQ(store_->BeginUpload(sha256, 5000)->offset, 3000);
  Reopen();
  EXPECT_EQ(ReasonOf(Append(sha256, 3000, bytes.substr(3000)).status()), "BLOB_NOT_FOUND") << "announce it first";
  EXPECT_EQ(store_->BeginUpload(sha256, 5000)->offset, 3000);
  EXPECT_TRUE(Append(sha256, 3000, bytes.substr(3000))->complete);
  EXPECT_EQ(*store_->Read(sha256, 0, 5000), bytes);
  Reopen();
  EXPECT_EQ(*store_->Read(sha256, 0, 5000), bytes);
}

TEST_F(BlobStoreTest, WhatIsHereNeedsNoUpload) {
  const std::string bytes = SomeBytes(10);
  UploadWhole(bytes);
  EXPECT_TRUE(store_->BeginUpload(Sha256Hex(bytes), 10)->complete);
  EXPECT_TRUE(Append(Sha256Hex(bytes), 0, bytes)->complete) << "the answer was lost";
  EXPECT_EQ(ReasonOf(store_->BeginUpload(Sha256Hex(bytes), 11).status()), "INVALID_BLOB_REQUEST");
  EXPECT_EQ(store_->bytes_used(), 10);
}

TEST_F(BlobStoreTest, RefusesTheWrongPlaceAndChangesNothing) {
  const std::string bytes = SomeBytes(100);
  const std::string sha256 = Sha256Hex(bytes);
  ASSERT_TRUE(store_->BeginUpload(sha256, 100).ok());
  ASSERT_TRUE(Append(sha256, 0, bytes.substr(0, 60)).ok());
  for (const int64_t offset : {int64_t{0}, int64_t{59}, int64_t{61}, int64_t{-1}, INT64_MAX}) {
    const auto status = Append(sha256, offset, bytes.substr(60));
    EXPECT_EQ(ReasonOf(status.status()), "UPLOAD_OFFSET_MISMATCH") << offset;
    EXPECT_EQ(MetadataOf(status.status())["expected"], "60");
  }
  EXPECT_EQ(ReasonOf(Append(sha256, 60, bytes).status()), "INVALID_BLOB_REQUEST") << "beyond the end";
  EXPECT_TRUE(Append(sha256, 60, bytes.substr(60))->complete);
}

TEST_F(BlobStoreTest, RefusesBytesThatChangedOnTheWay) {
  const std::string bytes = SomeBytes(100);
  const std::string sha256 = Sha256Hex(bytes);
  ASSERT_TRUE(store_->BeginUpload(sha256, 100).ok());
  const auto status = store_->Append(sha256, 0, bytes, Crc32c(bytes) ^ 1);
  EXPECT_EQ(ReasonOf(status.status()), "BLOB_CHECKSUM_MISMATCH");
  EXPECT_EQ(store_->BeginUpload(sha256, 100)->offset, 0);
  EXPECT_TRUE(Append(sha256, 0, bytes)->complete);
}

TEST_F(BlobStoreTest, DropsAWholeThatIsNotWhatItsNameSays) {
  const std::string sha256 = Sha256Hex("something else");
  ASSERT_TRUE(store_->BeginUpload(sha256, 100).ok());
  const auto status = Append(sha256, 0, SomeBytes(100));
  EXPECT_EQ(ReasonOf(status.status()), "BLOB_CHECKSUM_MISMATCH");
  EXPECT_EQ(MetadataOf(status.status())["expected"], sha256);
  EXPECT_EQ(MetadataOf(status.status())["got"], Sha256Hex(SomeBytes(100)));
  EXPECT_EQ(FilesIn("uploads") + FilesIn("blobs"), 0u);
  EXPECT_EQ(store_->bytes_used(), 0);
}

TEST_F(BlobStoreTest, RefusesWhatIsNoDigestOrNoSize) {
  for (const std::string& name : {std::string("../../etc/passwd"), std::string(), std::string(64, 'G')}) {
    EXPECT_EQ(ReasonOf(store_->BeginUpload(name, 1).status()), "INVALID_BLOB_REQUEST");
    EXPECT_EQ(ReasonOf(store_->Read(name, 0, 1).status()), "BLOB_NOT_FOUND");
    EXPECT_EQ(ReasonOf(Append(name, 0, "x").status()), "BLOB_NOT_FOUND");
  }
  for (const int64_t size : {int64_t{-1}, options_.max_blob_bytes + 1, INT64_MAX}) {
    const auto status = store_->BeginUpload(Sha256Hex("x"), size);
    EXPECT_EQ(ReasonOf(status.status()), "INVALID_BLOB_REQUEST");
    EXPECT_THAT(std::string(status.status().message()), HasSubstr(std::to_string(size)));
  }
}

TEST_F(BlobStoreTest, KeepsToItsQuotaFromTheAnnouncementOn) {
  options_.quota = 100;
  Reopen();
  ASSERT_TRUE(store_->BeginUpload(Sha256Hex("a"), 60).ok());
  const auto refused = store_->BeginUpload(Sha256Hex("b"), 41);
  EXPECT_EQ(ReasonOf(refused.status()), "BLOB_QUOTA_EXCEEDED");
  EXPECT_EQ(MetadataOf(refused.status()), (ErrorMetadata{{"quota", "100"}, {"size", "41"}, {"used", "60"}}));
  EXPECT_EQ(store_->uploads(), 1);
  EXPECT_TRUE(store_->BeginUpload(Sha256Hex("b"), 40).ok());
  ASSERT_TRUE(store_->CancelUpload(Sha256Hex("a")).ok());
  EXPECT_EQ(store_->bytes_used(), 40);
  UploadWhole(SomeBytes(60));
  Reopen();
  EXPECT_EQ(store_->bytes_used(), 60) << "of the other nothing has come";
}

TEST_F(BlobStoreTest, BoundsUploadsAtOnce) {
  options_.max_uploads = 2;
  Reopen();
  ASSERT_TRUE(store_->BeginUpload(Sha256Hex("a"), 1).ok());
  ASSERT_TRUE(store_->BeginUpload(Sha256Hex("b"), 1).ok());
  EXPECT_EQ(ReasonOf(store_->BeginUpload(Sha256Hex("c"), 1).status()), "BLOB_QUOTA_EXCEEDED");
  EXPECT_TRUE(store_->BeginUpload(Sha256Hex("a"), 1).ok()) << "it is among the two";
}

TEST_F(BlobStoreTest, RemovingMakesRoom) {
  const std::string bytes = SomeBytes(100);
  UploadWhole(bytes);
  ASSERT_TRUE(store_->Remove(Sha256Hex(bytes)).ok());
  EXPECT_EQ(store_->bytes_used(), 0);
  EXPECT_EQ(ReasonOf(store_->Read(Sha256Hex(bytes), 0, 1).status()), "BLOB_NOT_FOUND");
  EXPECT_TRUE(store_->Remove(Sha256Hex(bytes)).ok());
}

TEST_F(BlobStoreTest, ABlobIsIdleAfterItsGrace) {
  const BlobGrace grace{.unnamed = absl::Hours(1), .superseded = absl::Minutes(1)};
  const std::string bytes = SomeBytes(100), sha256 = Sha256Hex(bytes);
  UploadWhole(bytes);
  EXPECT_THAT(store_->Idle(grace), testing::IsEmpty());
  EXPECT_EQ(*store_->RemoveIdle(sha256, grace), 0);
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(store_->Idle(grace), testing::ElementsAre(sha256));
  ASSERT_TRUE(store_->BeginUpload(sha256, 100)->complete) << "a client was told that it is here";
  EXPECT_EQ(*store_->RemoveIdle(sha256, grace), 0);
  store_->Supersede(sha256);
  clock_.Advance(absl::Seconds(59));
  EXPECT_THAT(store_->Idle(grace), testing::IsEmpty());
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(store_->Touch(sha256).ok());
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(*store_->RemoveIdle(sha256, grace), 0) << "touched: the long grace again";
  store_->Supersede(sha256);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(*store_->RemoveIdle(sha256, grace), 100);
  EXPECT_EQ(FilesIn("blobs"), 0u);
  EXPECT_EQ(store_->bytes_used(), 0);
  EXPECT_EQ(ReasonOf(store_->Touch(sha256).status()), "BLOB_NOT_FOUND");
  store_->Supersede(sha256);
}

// A server that restarts every hour would else never find a blob idle.
TEST_F(BlobStoreTest, GraceGoesOnOverRestarts) {
  clock_.Advance(absl::Now() - clock_.Now());
  UploadWhole(SomeBytes(100));
  clock_.Advance(absl::Hours(2));
  Reopen();
  EXPECT_THAT(store_->Idle({.unnamed = absl::Hours(3)}), testing::IsEmpty());
  EXPECT_THAT(store_->Idle({.unnamed = absl::Hours(1)}), testing::SizeIs(1));
}

TEST_F(BlobStoreTest, WhatIsBeingReadIsNotIdle) {
  const std::string bytes = SomeBytes(100);
  UploadWhole(bytes);
  clock_.Advance(absl::Hours(24));
  ASSERT_TRUE(store_->Read(Sha256Hex(bytes), 0, 10).ok());
  EXPECT_THAT(store_->Idle({}), testing::IsEmpty());
}

TEST_F(BlobStoreTest, GivesUpUploadsThatNobodyGoesOnWith) {
  const std::string bytes = SomeBytes(100);
  ASSERT_TRUE(store_->BeginUpload(Sha256Hex("a"), 100).ok());
  ASSERT_TRUE(store_->BeginUpload(Sha256Hex(bytes), 100).ok());
  clock_.Advance(absl::Hours(23));
  ASSERT_TRUE(Append(Sha256Hex(bytes), 0, bytes.substr(0, 50)).ok());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(store_->DropStaleUploads(), 1);
  EXPECT_EQ(FilesIn("uploads"), 1u);
  EXPECT_TRUE(Append(Sha256Hex(bytes), 50, bytes.substr(50))->complete);
}

TEST_F(BlobStoreTest, OneProcessHasAFolder) {
  const auto second = BlobStore::Open(options_, clock_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(folder_));
}

TEST_F(BlobStoreTest, CleansUpWhatDoesNotBelongAmongUploads) {
  const std::string bytes = SomeBytes(100);
  UploadWhole(bytes);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/uploads/stranger", "x").ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/uploads/" + Sha256Hex(bytes), "half").ok());
  Reopen();
  EXPECT_EQ(FilesIn("uploads"), 0u);
  EXPECT_EQ(*store_->Read(Sha256Hex(bytes), 0, 100), bytes);
}

// A file that can grow no further, as on a full disk, in the middle of a part: what was acknowledged stays, and the
// upload goes on when there is room.
TEST_F(BlobStoreTest, AFullDiskLosesNothing) {
  const std::string bytes = SomeBytes(10'000);
  const std::string sha256 = Sha256Hex(bytes);
  ASSERT_TRUE(store_->BeginUpload(sha256, 10'000).ok());
  ASSERT_TRUE(Append(sha256, 0, bytes.substr(0, 4000)).ok());
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 6000;
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const auto refused = Append(sha256, 4000, bytes.substr(4000));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(store_->BeginUpload(sha256, 10'000)->offset, 4000);
  EXPECT_EQ(fs::file_size(folder_ + "/uploads/" + sha256), 4000u);
  EXPECT_TRUE(Append(sha256, 4000, bytes.substr(4000))->complete);
}

// Theorem: whatever clients upload the same bytes at once, each ends with the blob, whole.
TEST_F(BlobStoreTest, ClientsWithTheSameBytesHelpEachOther) {
  const std::string bytes = SomeBytes(50'000);
  const std::string sha256 = Sha256Hex(bytes);
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      auto status = store_->BeginUpload(sha256, 50'000);
      while (!(status.ok() && status->complete)) {
        if (status.ok()) status = Append(sha256, status->offset, std::string_view(bytes).substr(status->offset, 512));
        if (!status.ok()) status = store_->BeginUpload(sha256, 50'000);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(*store_->Read(sha256, 0, 50'000), bytes);
  EXPECT_EQ(store_->bytes_used(), 50'000);
}

}  // namespace
}  // namespace ddsp::server
