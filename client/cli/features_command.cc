#include <iostream>
#include <memory>

#include "client/cli/command.h"
#include "client/cli/recording_features.h"
#include "client/flags/server_flags.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/features/feature_table.h"

namespace ddsp::client {
namespace {

struct Options {
  ServerAddress server;
  std::string input, output;
  int frame_rate = 100;
};

absl::Status Run(const Options& options) {
  ASSIGN_OR_RETURN(const std::vector<FeatureFrame> frames,
                   options.server.empty() ? ExtractFromFile(options.input, options.frame_rate)
                                          : ExtractRemotely(options.input, options.frame_rate, options.server));
  RETURN_IF_ERROR(WriteFileAtomically(options.output, FormatFeatures({options.frame_rate, frames})));
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
  AddServerFlags(app, &options->server, "HOST:PORT of a ddsp-server that extracts them instead of this process");
  return [options] { return Run(*options); };
}

}  // namespace ddsp::client
