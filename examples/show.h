// What every example shares: its command line, and sounds written with their pictures.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"

namespace ddsp::examples {

inline constexpr int kSampleRate = 16000;  // Hz

// EXAMPLE FOLDER [SECONDS]: where the sounds go, and how long they are.
struct Arguments {
  std::string folder;
  double seconds = 4;

  int64_t samples() const { return frames() * 160; }
  int64_t frames() const { return static_cast<int64_t>(seconds * 100); }  // 100 a second
};
Arguments ParseArguments(int argc, char** argv);

// Writes FOLDER/NAME.wav and FOLDER/NAME.png, its spectrogram, and says so. audio: [samples] or [1, samples].
void Show(const Arguments& arguments, const std::string& name, const at::Tensor& audio);

// The value, or the end of the program with the error.
template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(value);
}

// One value per frame, from `first` to `last` in a straight line: [1, frames, 1].
at::Tensor Ramp(double first, double last, int64_t frames);

}  // namespace ddsp::examples
