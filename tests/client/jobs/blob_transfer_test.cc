// Files on their way through connections that break.
#include "client/sdk/blob_transfer.h"

#include <filesystem>
#include <random>

#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/faulty_jobs.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string RandomBytes(size_t size) {
  std::mt19937 random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Repeats at once, a hundred times a fault.
CallOptions Impatient() {
  CallOptions options;
  options.pause = [](absl::Duration) {};
  return options;
}

Fault Never(int, const std::string&) { return Fault::kNone; }

class BlobTransferTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string Write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes).ok());
    return Path(name);
  }
  // Puts bytes into the store without a connection.
  static void Keep(FaultyJobs& server, const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    ASSERT_TRUE(server.blobs().BeginUpload(sha256, static_cast<int64_t>(bytes.size())).ok());
    ASSERT_TRUE(server.blobs().Append(sha256, 0, bytes, Crc32c(bytes)).ok());
  }
  static std::string Kept(FaultyJobs& server, const std::string& sha256) {
    const auto bytes = server.blobs().Read(sha256, 0, 64 << 20);
    return bytes.ok() ? *bytes : std::string(bytes.status().message());
  }

  ddsp::testing::TempDir folder_;
};

// Sizes around those of chunks: 256 KiB at first, then 512 KiB, then 1 MiB.
TEST_F(BlobTransferTest, BytesArriveAsTheyAre) {
  FaultyJobs server(Never);
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  constexpr size_t kChunk = 256 << 10;
  for (const size_t size : {size_t{0}, size_t{1}, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk, 12 * kChunk + 7}) {
    const std::string bytes = RandomBytes(size);
    const auto blob = transfer.UploadFile(Write("in", bytes));
    ASSERT_TRUE(blob.ok()) << blob.status();
    EXPECT_EQ(blob->sha256, Sha256Hex(bytes));
    EXPECT_EQ(blob->size, size);
    EXPECT_EQ(Kept(server, blob->sha256), bytes);
    ASSERT_TRUE(transfer.Download(blob->sha256, Path("deep/er/out")).ok());
    EXPECT_EQ(*ReadFile(Path("deep/er/out")), bytes);
  }
}

TEST_F(BlobTransferTest, WhatTheServerHasIsNotSentAgain) {
  FaultyJobs server(Never);
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  const std::string path = Write("in", RandomBytes(1000000));
  ASSERT_TRUE(transfer.UploadFile(path).ok());
  ASSERT_TRUE(transfer.UploadFile(path).ok());
  EXPECT_EQ(server.bytes_received(), 1000000);
}

// Property: whichever call of an upload fails, and however, the blob is whole and is sent little more than once.
TEST_F(BlobTransferTest, AnUploadOutlivesAFaultOfAnyCall) {
  const std::string bytes = RandomBytes(2500000);
  const std::string path = Write("in", bytes);
  for (const Fault fault : {Fault::kRefused, Fault::kAnswerLost, Fault::kGarbled}) {
    bool struck = true;
    for (int k = 0; struck; ++k) {
      struck = false;
      FaultyJobs server([&](int call, const std::string& method) {
        if (call != k || (fault == Fault::kGarbled && method != "UploadChunk")) return Fault::kNone;
        struck = true;
        return fault;
      });
      BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
      const auto blob = transfer.UploadFile(path);
      ASSERT_TRUE(blob.ok()) << k << ": " << blob.status();
      EXPECT_EQ(Kept(server, blob->sha256), bytes) << k;
      EXPECT_LE(server.bytes_received(), bytes.size() + (1 << 20)) << k;
      struck |= fault == Fault::kGarbled && k == 0;  // which was no chunk
    }
  }
}

// Property: the same of a download, whose file is not there before it is whole.
TEST_F(BlobTransferTest, ADownloadOutlivesAFaultOfAnyCall) {
  const std::string bytes = RandomBytes(2500000);
  for (const Fault fault : {Fault::kRefused, Fault::kAnswerLost, Fault::kGarbled}) {
    bool struck = true;
    for (int k = 0; struck; ++k) {
      struck = false;
      FaultyJobs server([&](int call, const std::string&) {
        EXPECT_FALSE(fs::exists(Path("out")));
        if (call != k) return Fault::kNone;
        struck = true;
        return fault;
      });
      Keep(server, bytes);
      BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
      const absl::Status fetched = transfer.Download(Sha256Hex(bytes), Path("out"));
      ASSERT_TRUE(fetched.ok()) << k << ": " << fetched;
      EXPECT_EQ(*ReadFile(Path("out")), bytes);
      fs::remove(Path("out"));
    }
  }
}

// Each client is gone after a few calls; each next one goes on.
TEST_F(BlobTransferTest, AnUploadGoesOnAfterAClientThatDied) {
  const std::string bytes = RandomBytes(5000000);
  const std::string path = Write("in", bytes);
  FaultyJobs server(Never);
  int clients = 0;
  for (bool done = false; !done; ++clients) {
    ASSERT_LT(clients, 20);
    Cancellation death;
    CallOptions options = Impatient();
    options.cancellation = &death;
    BlobTransfer transfer(MakeJobsChannel(server.address()), options);
    int chunks = 0;
    const auto blob = transfer.UploadFile(path, [&](int64_t, int64_t) {
      if (++chunks == 3) death.Cancel();
    });
    done = blob.ok();
    EXPECT_TRUE(done || absl::IsCancelled(blob.status())) << blob.status();
  }
  EXPECT_GT(clients, 2);
  EXPECT_EQ(Kept(server, Sha256Hex(bytes)), bytes);
  EXPECT_LE(server.bytes_received(), bytes.size() + (clients << 20));
}

TEST_F(BlobTransferTest, ADownloadGoesOnAfterAClientThatDied) {
  const std::string bytes = RandomBytes(5000000);
  FaultyJobs server(Never);
  Keep(server, bytes);
  int64_t last = 0;
  for (bool done = false; !done;) {
    Cancellation death;
    CallOptions options = Impatient();
    options.cancellation = &death;
    BlobTransfer transfer(MakeJobsChannel(server.address()), options);
    const absl::Status fetched = transfer.Download(Sha256Hex(bytes), Path("out"), [&](int64_t at, int64_t) {
      EXPECT_GT(at, last);
      last = at;
      death.Cancel();
    });
    done = fetched.ok() || last == bytes.size();
  }
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  ASSERT_TRUE(transfer.Download(Sha256Hex(bytes), Path("out")).ok());
  EXPECT_EQ(*ReadFile(Path("out")), bytes);
}

// A part file that another program, or a failing disk, has changed.
TEST_F(BlobTransferTest, ADamagedBeginningIsFetchedAgain) {
  const std::string bytes = RandomBytes(700000), sha256 = Sha256Hex(bytes);
  FaultyJobs server(Never);
  Keep(server, bytes);
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  for (const size_t size : {size_t{1000}, bytes.size(), bytes.size() + 1}) {
    Write("out." + sha256.substr(0, 16) + ".part", std::string(size, 'x'));
    ASSERT_TRUE(transfer.Download(sha256, Path("out")).ok());
    EXPECT_EQ(*ReadFile(Path("out")), bytes);
    fs::remove(Path("out"));
  }
}

TEST_F(BlobTransferTest, BytesThatAreNotTheBlobsAreNoFile) {
  FaultyJobs server([](int, const std::string&) { return Fault::kNone; });
  const std::string bytes = RandomBytes(100000), sha256 = Sha256Hex(bytes);
  Keep(server, bytes);
  // The server's disk changes a byte; its checksums of chunks are of what it reads.
  std::string damaged = bytes;
  damaged[50000] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(*server.blobs().PathOf(sha256), damaged).ok());
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  const absl::Status fetched = transfer.Download(sha256, Path("out"));
  EXPECT_TRUE(absl::IsDataLoss(fetched)) << fetched;
  EXPECT_THAT(std::string(fetched.message()), HasSubstr(sha256));
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(BlobTransferTest, AFileThatChangesMeanwhileIsRefused) {
  FaultyJobs server(Never);
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  const std::string path = Write("in", RandomBytes(1000000));
  for (const char* change : {"shorter", "longer", "other"}) {
    Write("in", RandomBytes(1000000));
    bool changed = false;
    const auto blob = transfer.UploadFile(path, [&](int64_t, int64_t) {
      if (changed) return;
      changed = true;
      // In place, as a recorder does.
      std::FILE* const file = std::fopen(path.c_str(), change[0] == 's' ? "w" : "r+");
      std::fputs(change, file);
      std::fclose(file);
      if (change[0] == 'l') fs::resize_file(path, 1500000);
    });
    EXPECT_TRUE(absl::IsFailedPrecondition(blob.status())) << change << ": " << blob.status();
    EXPECT_THAT(std::string(blob.status().message()), HasSubstr(path));
  }
}

TEST_F(BlobTransferTest, AQuotaIsNotTriedAgain) {
  FaultyJobs server(Never);
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  fs::resize_file(Write("in", ""), int64_t{65} << 20);
  const auto blob = transfer.UploadFile(Path("in"));
  EXPECT_EQ(ReasonOf(blob.status()), "BLOB_QUOTA_EXCEEDED") << blob.status();
  EXPECT_EQ(server.calls("BeginUpload"), 1);
}

TEST_F(BlobTransferTest, AnUploadCanBeDropped) {
  FaultyJobs server(Never);
  Cancellation death;
  CallOptions options = Impatient();
  options.cancellation = &death;
  BlobTransfer dying(MakeJobsChannel(server.address()), options);
  const std::string bytes = RandomBytes(3000000);
  EXPECT_FALSE(dying
                   .UploadFile(Write("in", bytes),
                               [&](int64_t done, int64_t) {
                                 if (done > 0) death.Cancel();
                               })
                   .ok());
  EXPECT_EQ(server.blobs().uploads(), 1);
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  EXPECT_TRUE(transfer.CancelUpload(Sha256Hex(bytes)).ok());
  EXPECT_EQ(server.blobs().uploads(), 0);
  EXPECT_TRUE(transfer.CancelUpload(Sha256Hex(bytes)).ok()) << "nothing is there to drop";
}

TEST_F(BlobTransferTest, ErrorsNameWhatIsMissing) {
  FaultyJobs server(Never);
  BlobTransfer transfer(MakeJobsChannel(server.address()), Impatient());
  EXPECT_TRUE(absl::IsNotFound(transfer.UploadFile(Path("none")).status()));
  EXPECT_THAT(std::string(transfer.UploadFile(folder_.path()).status().message()), HasSubstr(folder_.path()));
  const std::string sha256(64, 'a');
  EXPECT_EQ(ReasonOf(transfer.Download(sha256, Path("out"))), "BLOB_NOT_FOUND");
  EXPECT_TRUE(absl::IsInvalidArgument(transfer.Download("../x", Path("out"))));
  EXPECT_FALSE(fs::exists(Path("out")));
}

// The clock stands in for five minutes.
TEST_F(BlobTransferTest, GivesUpOnAServerThatStaysAway) {
  FaultyJobs server([](int call, const std::string&) { return call < 2 ? Fault::kNone : Fault::kRefused; });
  SimClock clock;
  CallOptions options;
  options.clock = &clock;
  options.pause = [&](absl::Duration pause) { clock.Advance(pause); };
  BlobTransfer transfer(MakeJobsChannel(server.address()), options);
  const auto blob = transfer.UploadFile(Write("in", RandomBytes(2000000)));
  EXPECT_TRUE(absl::IsUnavailable(blob.status())) << blob.status();
  EXPECT_NEAR(absl::ToDoubleMinutes(clock.Now() - absl::UnixEpoch()), 5, 0.2);
}

}  // namespace
}  // namespace ddsp::client
