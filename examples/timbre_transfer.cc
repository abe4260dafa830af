// A recording played by a voice whose register and dynamics it is fitted to first. (Upstream: the timbre transfer
// demo.)  timbre_transfer RECORDING.wav VOICE_DIRECTORY OUT.wav
#include <cstdio>
#include <memory>

#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/status_macros.h"
#include "core/base/wav.h"
#include "core/offline/adjusted_controls.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"

namespace {

using namespace ddsp;

absl::Status Transfer(const std::string& recording, const std::string& voice_directory, const std::string& out) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(voice_directory));
  ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(recording));
  const int rate = voice->spec.sample_rate_hz();
  ASSIGN_OR_RETURN(const std::vector<float> audio, ResampleFile(file.samples, file.sample_rate, rate));

  // Pitch and loudness of the whole recording, as the voice would have played them.
  ASSIGN_OR_RETURN(const AdjustedControls controls, AdjustToVoice(*voice, audio, {.quiet_db = 30, .autotune = 0.3}));
  std::printf("%.1f s of notes, moved by %+.0f octaves\n", controls.note_seconds, controls.octaves);

  ASSIGN_OR_RETURN(const std::unique_ptr<VoiceEngine> engine, MakeVoiceEngine(voice, /*slots=*/1));
  RenderOptions options;
  options.framer.output_rate = rate;
  ASSIGN_OR_RETURN(const Rendering rendering, RenderControls(*engine, options, controls.frames, audio.size()));
  return WriteWav(out, {rate, 1, rendering.audio});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s RECORDING VOICE_DIRECTORY OUT.wav\n", argv[0]);
    return 2;
  }
  const absl::Status status = Transfer(argv[1], argv[2], argv[3]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
