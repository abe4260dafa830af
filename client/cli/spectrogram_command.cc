#include <filesystem>
#include <iostream>
#include <memory>

#include "client/cli/command.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/status_macros.h"
#include "core/picture/spectrogram.h"

namespace ddsp::client {
namespace {

struct Options {
  std::vector<std::string> inputs, titles;
  std::string output;
  SpectrogramOptions drawing;
  bool logarithmic = false;
};

absl::Status Run(Options options) {
  if (options.logarithmic) options.drawing.scale = FrequencyAxis::kLogarithmic;
  std::vector<SpectrogramPanel> panels;
  for (size_t i = 0; i < options.inputs.size(); ++i) {
    const std::string& path = options.inputs[i];
    ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(path));
    SpectrogramPanel& panel = panels.emplace_back();
    panel.title = i < options.titles.size() ? options.titles[i] : std::filesystem::path(path).stem().string();
    ASSIGN_OR_RETURN(panel.audio, ResampleFile(file.samples, file.sample_rate, options.drawing.sample_rate));
  }
  RETURN_IF_ERROR(DrawSpectrograms(panels, options.drawing).SavePng(options.output));
  std::cout << options.output << ": " << panels.size() << " spectrogram" << (panels.size() == 1 ? "" : "s") << "\n";
  return absl::OkStatus();
}

}  // namespace

Action DeclareSpectrogram(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("IN", options->inputs, "Recordings, one panel each")->required();
  app.add_option("--out", options->output, "PNG file")->required();
  app.add_option("--title", options->titles, "Of each panel; the file's name by default");
  app.add_flag("--log", options->logarithmic, "Logarithmic frequencies from 50 Hz instead of linear ones");
  app.add_option("--sample-rate", options->drawing.sample_rate, "Hz; the picture goes up to half of it")
      ->check(CLI::Range(1000, 192000))
      ->capture_default_str();
  app.add_option("--range-db", options->drawing.range_db, "Levels shown below the loudest point")
      ->check(CLI::Range(10.0, 200.0))
      ->capture_default_str();
  app.add_option("--width", options->drawing.plot_width, "Pixels")
      ->check(CLI::Range(100, 20000))
      ->capture_default_str();
  return [options] { return Run(*options); };
}

}  // namespace ddsp::client
