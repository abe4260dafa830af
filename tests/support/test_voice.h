// A small voice, of the VST recipe by default, with random weights, for tests of everything that a voice passes
// through.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/models/voice.h"

namespace ddsp::testing {

struct TestVoiceOptions {
  std::string name = "test-voice";
  uint64_t seed = 1;
  int rnn_channels = 16;
  int channels = 12;
  int layers_per_stack = 1;
  int harmonics = 20;
  int noise_bands = 65;
  int reverb_length = 1000;  // 0: no reverb
  bool filtered_noise = true;
  int decoder_frame_rate = 0;  // 0: that of the features
  int sample_rate = 16000;     // Hz; features are always those of 16 kHz
  std::string level = "pw_scaled";
  std::string amp_resample_method = "linear";
  std::string arithmetic = "float32";
};

// The solo_instrument recipe in small: five frames of controls in a hop.
TestVoiceOptions SmallSolo();

// Valid, but without golden audio.
Voice MakeTestVoice(const TestVoiceOptions& options = {});

// With golden audio, as the export makes it.
std::shared_ptr<const Voice> MakeGoldenVoice(const TestVoiceOptions& options = {});

// Writes <repository>/<name>/<version> and returns its directory.
std::string WriteTestBundle(const std::string& repository, const TestVoiceOptions& options = {}, int64_t version = 1);

// A gliding, swelling tone with some noise, full scale about 0.3; a pure function of its arguments.
std::vector<float> TestMelody(int64_t samples, int sample_rate = 16000, uint64_t seed = 1);

// An empty directory that goes with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace ddsp::testing
