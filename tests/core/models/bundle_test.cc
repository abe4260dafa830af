#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/sha256.h"
#include "core/models/text_proto.h"
#include "core/models/voice.h"
#include "core/streaming/voice_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::ddsp::testing::TempDir;
using ::ddsp::testing::WriteTestBundle;
using ::testing::HasSubstr;

std::string ErrorOf(const std::string& directory) {
  const auto voice = LoadVoice(directory);
  return voice.ok() ? "" : std::string(voice.status().message());
}

void Replace(const std::string& path, const std::string& content) {
  ASSERT_TRUE(WriteFileAtomically(path, content).ok());
}

// Replaces a file and makes the manifest agree, so that the next check is reached.
void ReplaceListed(const std::string& directory, const std::string& file, const std::string& content) {
  Replace(directory + "/" + file, content);
  v1::Manifest manifest;
  ASSERT_TRUE(ParseTextProto(*ReadFile(directory + "/MANIFEST.textproto"), &manifest).ok());
  for (auto& listed : *manifest.mutable_files()) {
    if (listed.path() != file) continue;
    listed.set_size(content.size());
    listed.set_sha256(Sha256Hex(content));
  }
  Replace(directory + "/MANIFEST.textproto", FormatTextProto(manifest));
}

TEST(Bundle, LoadsWhatWasWritten) {
  TempDir repository;
  const auto voice = LoadVoice(WriteTestBundle(repository.path()));
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ((*voice)->id(), "test-voice/1");
  EXPECT_EQ((*voice)->weights.at("decoder/dense_out/bias").shape, std::vector<int64_t>{86});
}

TEST(Bundle, NeverOverwritesAVersion) {
  TempDir repository;
  const std::string directory = WriteTestBundle(repository.path());
  EXPECT_EQ(WriteBundle(directory, *testing::MakeGoldenVoice(), WeightStorage::kFloat16).code(),
            absl::StatusCode::kAlreadyExists);
}

TEST(Bundle, AFlippedBitIsNoticed) {
  TempDir repository;
  const std::string directory = WriteTestBundle(repository.path());
  std::string weights = *ReadFile(directory + "/weights.safetensors");
  weights.back() ^= 1;
  Replace(directory + "/weights.safetensors", weights);
  EXPECT_EQ(LoadVoice(directory).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(ErrorOf(directory), HasSubstr("weights.safetensors: its SHA-256 is not the manifest's"));
}

TEST(Bundle, AMissingFileIsNamed) {
  TempDir repository;
  const std::string directory = WriteTestBundle(repository.path());
  std::filesystem::remove(directory + "/golden/golden.safetensors");
  EXPECT_THAT(ErrorOf(directory), HasSubstr("golden/golden.safetensors: listed in the manifest but not there"));
  EXPECT_EQ(LoadVoice(repository.path() + "/nothing/1").status().code(), absl::StatusCode::kNotFound);
}

TEST(Bundle, AnUnknownFieldIsAnError) {
  TempDir repository;
  const std::string directory = WriteTestBundle(repository.path());
  ReplaceListed(directory, "model.textproto", *ReadFile(directory + "/model.textproto") + "\ncolour: \"red\"\n");
  EXPECT_THAT(ErrorOf(directory), HasSubstr("has no field named \"colour\""));
}

TEST(Bundle, ATensorOfTheWrongShapeIsNamed) {
  TempDir repository;
  const std::string directory = WriteTestBundle(repository.path());
  std::string spec = *ReadFile(directory + "/model.textproto");
  spec.replace(spec.find("rnn_channels: 16"), 16, "rnn_channels: 18");
  ReplaceListed(directory, "model.textproto", spec);
  EXPECT_THAT(ErrorOf(directory), HasSubstr("weight 'decoder/rnn/rnn/cell/kernel' has shape [24,48], not [24,54]"));
}

TEST(Bundle, OverlappingTensorsAreRefused) {
  TempDir repository;
  const std::string directory = WriteTestBundle(repository.path());
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const uint64_t size = header.size();
  ReplaceListed(directory, "weights.safetensors",
                std::string(reinterpret_cast<const char*>(&size), 8) + header + "1234");
  EXPECT_THAT(ErrorOf(directory), HasSubstr("weights.safetensors: tensor 'b': overlaps another"));
}

TEST(Bundle, APathThatLeavesItsDirectoryIsRefused) {
  TempDir repository;
  const std::string directory = WriteTestBundle(repository.path());
  const std::string manifest = *ReadFile(directory + "/MANIFEST.textproto");
  for (const std::string path : {"../secret", "/etc/passwd", "golden/../../x", "./a"}) {
    Replace(directory + "/MANIFEST.textproto", manifest + "files { path: \"" + path + "\" size: 1 sha256: \"0\" }");
    EXPECT_THAT(ErrorOf(directory), HasSubstr(absl::StrCat("'", path, "'"))) << path;
  }
  Replace(directory + "/MANIFEST.textproto", manifest + "files { path: \"link\" size: 1 sha256: \"0\" }");
  std::filesystem::create_symlink("/etc/passwd", directory + "/link");
  EXPECT_THAT(ErrorOf(directory), HasSubstr("goes through a link"));
}

TEST(Bundle, GoldenAudioThatDiffersIsRefused) {
  TempDir repository;
  Voice voice = *testing::MakeGoldenVoice();
  voice.golden.output[1000] += 0.01f;
  const std::string directory = repository.path() + "/test-voice/1";
  ASSERT_TRUE(WriteBundle(directory, voice, WeightStorage::kFloat16).ok());
  EXPECT_THAT(ErrorOf(directory), HasSubstr("golden audio differs by 0.01 at sample 1000"));
}

TEST(Bundle, AWrongLatencyIsRefused) {
  TempDir repository;
  const std::string directory = WriteTestBundle(repository.path());
  std::string spec = *ReadFile(directory + "/model.textproto");
  spec.replace(spec.find("latency_samples: 832"), 20, "latency_samples: 100");
  ReplaceListed(directory, "model.textproto", spec);
  EXPECT_THAT(ErrorOf(directory), HasSubstr("says 100 samples of latency, its graph has 832"));
}

TEST(Bundle, AllProblemsOfASpecAreToldAtOnce) {
  Voice voice = testing::MakeTestVoice();
  voice.spec.set_name("Bad Name");
  voice.spec.set_hop_size(0);
  voice.spec.mutable_decoder()->set_rnn_channels(-1);
  EXPECT_THAT(ValidateVoice(voice), ::testing::SizeIs(3));
}

TEST(Bundle, AVoicePlaysAtRatesThatItsFramesDivide) {
  for (const int rate : {8000, 16000, 22050, 24000, 32000, 44100, 48000}) {
    testing::TestVoiceOptions options;
    options.sample_rate = rate;
    const Voice voice = testing::MakeTestVoice(options);
    EXPECT_THAT(ValidateVoice(voice), ::testing::IsEmpty()) << rate;
    EXPECT_EQ(voice.feature_settings(), FeatureSettings()) << rate;
  }
  Voice voice = testing::MakeTestVoice();
  voice.spec.set_sample_rate_hz(48000);
  EXPECT_THAT(ValidateVoice(voice),
              ::testing::ElementsAre("hop_size 320 does not fit 50 frames per second at 48000 Hz"));
  voice.spec.set_sample_rate_hz(96000);
  voice.spec.set_hop_size(1920);
  EXPECT_THAT(ValidateVoice(voice), ::testing::ElementsAre("sample_rate_hz 96000 is outside 8000..48000"));
}

TEST(Bundle, AVoiceOfAnotherRateIsReadAndProven) {
  TempDir repository;
  testing::TestVoiceOptions options;
  options.sample_rate = 48000;
  const std::string directory = WriteTestBundle(repository.path(), options);
  const auto voice = LoadVoice(directory);
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ((*voice)->spec.latency_samples(), 2496);
}

TEST(Bundle, ADecodersFramesDivideAHop) {
  Voice voice = testing::MakeTestVoice();
  EXPECT_EQ(voice.decoder_frames_per_hop(), 1);
  for (const int rate : {0, 50, 100, 250, 1000}) {
    voice.spec.mutable_decoder()->set_frame_rate(rate);
    EXPECT_THAT(ValidateVoice(voice), ::testing::IsEmpty()) << rate;
    EXPECT_EQ(voice.decoder_hop() * voice.decoder_frames_per_hop(), 320);
  }
  for (const int rate : {-50, 25, 120, 150, 1050}) {  // 150: three frames in 320 samples
    voice.spec.mutable_decoder()->set_frame_rate(rate);
    EXPECT_THAT(ValidateVoice(voice), ::testing::ElementsAre(HasSubstr(absl::StrCat("decoder.frame_rate ", rate))));
  }
}

TEST(Bundle, AnUnknownArithmeticIsRefused) {
  Voice voice = testing::MakeTestVoice();
  for (const char* known : {"", "float32", "int16"}) {
    voice.spec.mutable_decoder()->set_arithmetic(known);
    EXPECT_THAT(ValidateVoice(voice), ::testing::IsEmpty());
  }
  voice.spec.mutable_decoder()->set_arithmetic("int4");
  EXPECT_THAT(ValidateVoice(voice), ::testing::ElementsAre(HasSubstr("decoder.arithmetic: unknown 'int4'")));
}

}  // namespace
}  // namespace ddsp
