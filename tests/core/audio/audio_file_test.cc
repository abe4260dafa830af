#include "core/audio/audio_file.h"

#include <sndfile.h>

#include <cmath>
#include <limits>

#include "core/base/file.h"
#include "core/base/wav.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Path(const std::string& name) { return testing::TempDir() + "/" + name; }

// Writes interleaved samples in any format of libsndfile.
std::string WriteAs(const std::string& name, int format, int rate, int channels, const std::vector<float>& samples) {
  SF_INFO info = {};
  info.samplerate = rate, info.channels = channels, info.format = format;
  SNDFILE* file = sf_open(Path(name).c_str(), SFM_WRITE, &info);
  EXPECT_NE(file, nullptr) << sf_strerror(nullptr);
  sf_writef_float(file, samples.data(), samples.size() / channels);
  sf_close(file);
  return Path(name);
}

std::string WriteBytes(const std::string& name, std::string_view bytes) {
  EXPECT_TRUE(WriteFileAtomically(Path(name), bytes).ok());
  return Path(name);
}

void ExpectRefused(const std::string& path, const std::string& reason) {
  const auto audio = ReadAudioFile(path);
  ASSERT_FALSE(audio.ok());
  EXPECT_EQ(audio.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(audio.status().message()), AllOf(HasSubstr(path), HasSubstr(reason)));
}

// Half a step of the coarsest encoding.
constexpr float kSixteenBits = 0.5f / 32768;

TEST(AudioFile, ReadsEveryUsualEncoding) {
  const std::vector<float> samples = {0, 0.25f, -0.5f, 0.1f};
  const int formats[] = {SF_FORMAT_WAV | SF_FORMAT_PCM_16,  SF_FORMAT_WAV | SF_FORMAT_PCM_24,
                         SF_FORMAT_WAV | SF_FORMAT_PCM_32,  SF_FORMAT_WAV | SF_FORMAT_FLOAT,
                         SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_24};
  for (int format : formats) {
    const auto audio = ReadAudioFile(WriteAs("encoding", format, 44100, 1, samples));
    ASSERT_TRUE(audio.ok()) << audio.status();
    EXPECT_EQ(audio->sample_rate, 44100);
    ASSERT_EQ(audio->samples.size(), samples.size());
    for (size_t i = 0; i < samples.size(); ++i) EXPECT_NEAR(audio->samples[i], samples[i], kSixteenBits) << format;
  }
}

TEST(AudioFile, TakesTheMeanOfStereo) {
  const auto audio =
      ReadAudioFile(WriteAs("stereo.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 16000, 2, {1, 0, 0.5f, -0.5f}));
  EXPECT_THAT(audio->samples, ElementsAre(0.5f, 0));
}

TEST(AudioFile, ReadsRatesFrom8To192Kilohertz) {
  for (int rate : {8000, 11025, 44100, 48000, 96000, 192000}) {
    const auto audio = ReadAudioFile(WriteAs("rate.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, rate, 1, {0.5f}));
    ASSERT_TRUE(audio.ok()) << audio.status();
    EXPECT_EQ(audio->sample_rate, rate);
  }
  ExpectRefused(WriteAs("slow.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 7999, 1, {0.5f}), "7999 Hz");
  ExpectRefused(WriteAs("fast.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 192001, 1, {0.5f}), "192001 Hz");
}

TEST(AudioFile, SaysWhyItRefusesAFile) {
  ExpectRefused(WriteBytes("empty.wav", ""), "empty (0 bytes)");
  ExpectRefused(WriteBytes("letter.wav", "Dear reader, this is no audio at all. Yours."), "no audio file");
  ExpectRefused(WriteAs("zero.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, {}), "zero length");
  ExpectRefused(testing::TempDir(), "is a directory");
  EXPECT_EQ(ReadAudioFile("/nonexistent.wav").status().code(), absl::StatusCode::kNotFound);
}

TEST(AudioFile, NamesTheFirstSampleThatIsNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  ExpectRefused(WriteAs("nan.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 16000, 1, {0, nan}), "sample 1 is nan");
  ExpectRefused(WriteAs("inf.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 16000, 1, {0, 0, infinity}), "sample 2 is inf");
}

TEST(AudioFile, TakesWhatIsThereOfACutOffFile) {
  const std::string whole = FormatWav({16000, 1, std::vector<float>(1000, 0.25f)}, WavEncoding::kPcm16);
  const auto audio = ReadAudioFile(WriteBytes("cut.wav", whole.substr(0, whole.size() - 1000)));
  ASSERT_TRUE(audio.ok()) << audio.status();
  EXPECT_EQ(audio->samples.size(), 500);
  ExpectRefused(WriteBytes("header.wav", whole.substr(0, 44)), "no samples");
}

}  // namespace
}  // namespace ddsp
