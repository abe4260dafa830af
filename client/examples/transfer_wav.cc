// Plays a WAV file with a voice of a ddsp-server, as a live stream: transfer_wav HOST:PORT IN.wav OUT.wav
//
// To build it outside this tree:
//   add_subdirectory(ddsp)
//   add_executable(transfer_wav transfer_wav.cc)
//   target_link_libraries(transfer_wav PRIVATE ddsp::client_sdk ddsp::core_base)
#include <iostream>

#include "client/sdk/error.h"
#include "client/sdk/synthesis_stream.h"
#include "core/base/wav.h"

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "usage: transfer_wav HOST:PORT IN.wav OUT.wav\n", 2;
  const auto fail = [](const absl::Status& status) { return std::cerr << ddsp::client::Describe(status) << "\n", 1; };

  const auto wav = ddsp::ReadWav(argv[2]);  // mono, 8 to 48 kHz
  if (!wav.ok()) return fail(wav.status());

  ddsp::client::StreamOptions options;
  options.model = "violin";
  options.input.sample_rate = wav->sample_rate;
  const auto stream = ddsp::client::SynthesisStream::Open(argv[1], options);
  if (!stream.ok()) return fail(stream.status());

  // From a microphone: write each buffer as it is filled, and read in another thread.
  if (auto status = (*stream)->Write(wav->samples); !status.ok()) return fail(status);
  if (auto status = (*stream)->Finish(); !status.ok()) return fail(status);
  const auto answer = (*stream)->ReadAllAudio();
  if (!answer.ok()) return fail(answer.status());

  const auto written = ddsp::WriteWav(argv[3], {wav->sample_rate, 1, *answer});
  return written.ok() ? 0 : fail(written);
}
