#include "examples/show.h"

#include <filesystem>
#include <vector>

#include "core/base/wav.h"
#include "core/picture/spectrogram.h"

namespace ddsp::examples {

Arguments ParseArguments(int argc, char** argv) {
  Arguments arguments;
  if (argc == 3) arguments.seconds = std::atof(argv[2]);
  if (argc < 2 || argc > 3 || !(arguments.seconds >= 0.1 && arguments.seconds <= 60)) {
    std::fprintf(stderr, "usage: %s FOLDER [SECONDS, 0.1 to 60]\n", argv[0]);
    std::exit(2);
  }
  arguments.folder = argv[1];
  std::error_code error;
  std::filesystem::create_directories(arguments.folder, error);
  return arguments;
}

void Show(const Arguments& arguments, const std::string& name, const at::Tensor& audio) {
  const at::Tensor flat = audio.detach().to(at::kFloat).flatten().contiguous();
  const std::vector<float> samples(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  const std::string path = arguments.folder + "/" + name;
  absl::Status status = WriteWav(path + ".wav", {kSampleRate, 1, samples});
  if (status.ok()) status = DrawSpectrograms({{name, samples}}, {.sample_rate = kSampleRate}).SavePng(path + ".png");
  if (!status.ok()) Must<int>(status);
  std::printf("%s.wav, .png\n", path.c_str());
}

at::Tensor Ramp(double first, double last, int64_t frames) {
  return at::linspace(first, last, frames).reshape({1, frames, 1});
}

}  // namespace ddsp::examples
