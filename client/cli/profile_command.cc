#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/command.h"
#include "client/cli/recording_features.h"
#include "core/base/status_macros.h"
#include "core/models/performer_profile.h"

namespace ddsp::client {
namespace {

constexpr int kFrameRate = 50;

struct Options {
  std::string input, output, name;
};

absl::Status Run(const Options& options) {
  ASSIGN_OR_RETURN(const std::vector<FeatureFrame> frames, ExtractFromFile(options.input, kFrameRate));
  const std::string name = options.name.empty() ? std::filesystem::path(options.input).stem().string() : options.name;
  const absl::StatusOr<ddsp::PerformerProfile> profile = MeasureProfile(name, frames, kFrameRate);
  if (!profile.ok()) {
    return absl::Status(profile.status().code(), absl::StrCat(options.input, ": ", profile.status().message()));
  }
  RETURN_IF_ERROR(WriteProfile(options.output, *profile));
  std::cout << absl::StreamFormat("%s: %s plays %.1f to %.1f dB about MIDI pitch %.1f\n", options.output, profile->name,
                                  profile->power_quantiles_db.front(), profile->power_quantiles_db.back(),
                                  profile->mean_pitch_midi);
  return absl::OkStatus();
}

}  // namespace

Action DeclareProfile(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("IN", options->input, "Recording of the performer, with at least a second of pitch")->required();
  app.add_option("--out", options->output, "Profile file")->required();
  app.add_option("--name", options->name, "What sessions call it; the recording's name by default");
  return [options] { return Run(*options); };
}

}  // namespace ddsp::client
