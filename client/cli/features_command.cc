#include <iostream>
#include <memory>

#include "absl/strings/str_format.h"
#include "client/cli/command.h"
#include "client/cli/recording_features.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

struct Options {
  std::string input, output, server;
  int frame_rate = 100;
};

std::string FormatCsv(const std::vector<FeatureFrame>& frames, int frame_rate) {
  std::string csv = "time_s,f0_hz,f0_confidence,voiced,loudness_db,power_db\n";
  for (size_t t = 0; t < frames.size(); ++t) {
    const FeatureFrame& frame = frames[t];
    absl::StrAppendFormat(&csv, "%.6f,%.4f,%.5f,%d,%.4f,%.4f\n", static_cast<double>(t) / frame_rate, frame.f0_hz,
                          frame.f0_confidence, frame.voiced ? 1 : 0, frame.loudness_db, frame.power_db);
  }
  return csv;
}

absl::Status Run(const Options& options) {
  ASSIGN_OR_RETURN(const std::vector<FeatureFrame> frames,
                   options.server.empty() ? ExtractFromFile(options.input, options.frame_rate)
                                          : ExtractRemotely(options.input, options.frame_rate, options.server));
  RETURN_IF_ERROR(WriteFileAtomically(options.output, FormatCsv(frames, options.frame_rate)));
  std::cout << options.output << ": " << frames.size() << " frames at " << options.frame_rate << " a second\n";
  return absl::OkStatus();
}

}  // namespace

Action DeclareFeatures(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("IN", options->input, "Recording: WAV, FLAC, ...")->required();
  app.add_option("--out", options->output, "CSV file: time_s is the centre of a frame")->required();
  app.add_option("--frame-rate", options->frame_rate, "Frames a second, a divisor of 16000, 25 to 250")
      ->capture_default_str();
  app.add_option("--server", options->server, "HOST:PORT of a ddsp-server that extracts them instead of this process");
  return [options] { return Run(*options); };
}

}  // namespace ddsp::client
