#include "core/importer/tensor_bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/base/crc32c.h"
#include "core/base/safetensors.h"
#include "tensorflow/tensor_bundle.pb.h"
#include "tests/core/importer/fixtures.h"
#include "tests/core/importer/mutation.h"
#include "tests/core/importer/table_writer.h"

namespace ddsp::importer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kBias[] = "model/decoder/dense_out/bias/.ATTRIBUTES/VARIABLE_VALUE";
constexpr char kShard[] = ".data-00000-of-00001";

// A bundle of one tensor "x" whose entry is `entry`, over the shard `data`.
class OneTensor {
 public:
  explicit OneTensor(const tensorflow::BundleEntry& entry, const std::string& data) {
    tensorflow::BundleHeader header;
    header.set_num_shards(1);
    const std::string block =
        TableBlock(TableItem(0, "", header.SerializeAsString()) + TableItem(0, "x", entry.SerializeAsString()));
    directory_.Write("c.index", Table(block, 0));
    directory_.Write(std::string("c") + kShard, data);
  }
  absl::StatusOr<std::vector<float>> Read() const {
    auto bundle = TensorBundle::Open(directory_ / "c");
    if (!bundle.ok()) return bundle.status();
    return bundle->ReadFloats("x");
  }

 private:
  TemporaryDirectory directory_;
};

tensorflow::BundleEntry FloatEntry(const std::string& data) {
  tensorflow::BundleEntry entry;
  entry.set_dtype(1);
  entry.mutable_shape()->add_dim()->set_size(static_cast<int64_t>(data.size() / 4));
  entry.set_size(static_cast<int64_t>(data.size()));
  entry.set_crc32c(MaskedCrc32c(data));
  return entry;
}

std::string Bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// The golden file holds what upstream restored from the same files.
TEST(TensorBundle, ReadsTheWeightsThatUpstreamReads) {
  const auto golden = Safetensors::Read(DDSP_TESTDATA "/golden/models/import.safetensors");
  ASSERT_TRUE(golden.ok());
  for (const std::string name : {"solo_small", "vst_small", "solo_legacy_slots"}) {
    const auto bundle = TensorBundle::Open(FixturePrefix(name));
    ASSERT_TRUE(bundle.ok()) << bundle.status();
    int compared = 0;
    const std::string below = name + "/param/";
    for (const std::string& full : golden->Names()) {
      if (!full.starts_with(below)) continue;
      const auto values = bundle->ReadFloats("model/" + full.substr(below.size()) + "/.ATTRIBUTES/VARIABLE_VALUE");
      ASSERT_TRUE(values.ok()) << values.status();
      EXPECT_EQ(*values, golden->GetFloats(full).value()) << full;
      ++compared;
    }
    EXPECT_GE(compared, 18);
  }
}

TEST(TensorBundle, EveryFlippedBitOfTheDataIsFound) {
  TemporaryDirectory directory;
  directory.CopyFixture("vst_small");
  const std::string shard = std::string("ckpt-4") + kShard;
  const auto data = ReadFile(directory / shard);
  const auto bundle = TensorBundle::Open(directory / "ckpt-4");
  ASSERT_TRUE(data.ok() && bundle.ok());
  const BundleEntry& bias = bundle->entries().at(kBias);
  for (const uint64_t at : {uint64_t{0}, bias.size / 2, bias.size - 1}) {
    std::string damaged = *data;
    damaged[bias.offset + at] ^= 0x10;
    directory.Write(shard, damaged);
    const auto read = bundle->ReadFloats(kBias);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(read.status().message(), AllOf(HasSubstr(shard), HasSubstr(kBias), HasSubstr("offset")));
  }
}

TEST(TensorBundle, NamesAMissingOrShortShard) {
  TemporaryDirectory directory;
  directory.CopyFixture("vst_small");
  const std::string shard = std::string("ckpt-4") + kShard;
  const auto bundle = TensorBundle::Open(directory / "ckpt-4");
  ASSERT_TRUE(bundle.ok());
  directory.Write(shard, "short");
  EXPECT_THAT(bundle->ReadFloats(kBias).status().ToString(), AllOf(HasSubstr("DATA_LOSS"), HasSubstr("ends at 5")));
  std::filesystem::remove(directory / shard);
  EXPECT_THAT(bundle->ReadFloats(kBias).status().ToString(), AllOf(HasSubstr("NOT_FOUND"), HasSubstr(shard)));
}

TEST(TensorBundle, RefusesWhatIsNotFinite) {
  for (const float bad : {NAN, INFINITY}) {
    const std::string data = Bytes({1, bad, 3});
    const auto read = OneTensor(FloatEntry(data), data).Read();
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(read.status().message(), AllOf(HasSubstr("offset 4"), HasSubstr("value 1 of tensor 'x'")));
  }
}

TEST(TensorBundle, RefusesEntriesThatDescribeNoTensor) {
  const std::string data = Bytes({1, 2, 3});
  EXPECT_TRUE(OneTensor(FloatEntry(data), data).Read().ok());
  const auto error = [&](const std::function<void(tensorflow::BundleEntry&)>& change) {
    tensorflow::BundleEntry entry = FloatEntry(data);
    change(entry);
    return OneTensor(entry, data).Read().status().ToString();
  };
  EXPECT_THAT(error([](auto& e) { e.set_size(8); }), HasSubstr("8 bytes, shape [3] needs 12"));
  EXPECT_THAT(error([](auto& e) { e.set_offset(-4); }), HasSubstr("12 bytes at offset -4"));
  EXPECT_THAT(error([](auto& e) { e.set_offset(INT64_MAX); }), HasSubstr("12 bytes at offset"));
  EXPECT_THAT(error([](auto& e) { e.set_shard_id(1); }), HasSubstr("shard 1 of 1"));
  EXPECT_THAT(error([](auto& e) { e.mutable_shape()->add_dim()->set_size(INT64_MAX); }), HasSubstr("its shape is"));
  EXPECT_THAT(error([](auto& e) { e.mutable_shape()->add_dim()->set_size(-1); }), HasSubstr("its shape is"));
  EXPECT_THAT(error([](auto& e) { e.add_slices(); }), HasSubstr("in pieces"));
  EXPECT_THAT(error([](auto& e) { e.set_dtype(7); }), HasSubstr("no numbers"));
  EXPECT_THAT(error([](auto& e) { e.set_crc32c(1); }), HasSubstr("checksum"));
}

TEST(TensorBundle, SurvivesAnyIndexAndAnyData) {
  TemporaryDirectory directory;
  directory.CopyFixture("vst_small");
  const auto index = ReadFile(directory / "ckpt-4.index");
  ASSERT_TRUE(index.ok());
  const auto read_all = [&](const std::string& bytes) {
    directory.Write("ckpt-4.index", bytes);
    const auto bundle = TensorBundle::Open(directory / "ckpt-4");
    if (!bundle.ok()) return;
    for (const auto& [name, entry] : bundle->entries()) (void)bundle->ReadFloats(name);
  };
  ForEachMutation(*index, 100, read_all);
}

// Entries are damaged behind right checksums.
TEST(TensorBundle, SurvivesAnyEntry) {
  const std::string data = Bytes({1, 2, 3});
  ForEachMutation(FloatEntry(data).SerializeAsString(), 300, [&](const std::string& bytes) {
    tensorflow::BundleEntry entry;
    if (entry.ParseFromString(bytes)) (void)OneTensor(entry, data).Read();
  });
}

}  // namespace
}  // namespace ddsp::importer
