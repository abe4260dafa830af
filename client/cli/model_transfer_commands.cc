// Voices from one place to another: push, pull, pack.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/model_directory.h"
#include "client/cli/model_push.h"
#include "client/cli/voice_source.h"
#include "core/artifacts/oci_layout.h"
#include "core/artifacts/oci_manifest.h"
#include "core/base/status_macros.h"
#include "core/models/staged_version.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::client {
namespace {

struct PullOptions {
  std::string source, repository;
  bool json = false;
};

absl::Status Pull(const PullOptions& options) {
  ASSIGN_OR_RETURN(const VoiceSource source, OpenVoiceSource(options.source));
  ASSIGN_OR_RETURN(const PulledVoice pulled, PullVoice(source, options.repository));
  const VoiceLocation& location = pulled.location;
  if (options.json) {
    std::cout << nlohmann::ordered_json{{"name", location.model},
                                        {"version", location.version},
                                        {"directory", location.directory},
                                        {"was_there", pulled.was_there}}
                     .dump(2)
              << "\n";
    return absl::OkStatus();
  }
  std::cout << location.directory
            << (pulled.was_there ? " was there already, the same\n" : ": files, shapes and golden audio are right\n");
  return absl::OkStatus();
}

struct PackOptions {
  std::string directory, out, tag;
};

absl::Status Pack(PackOptions options) {
  ASSIGN_OR_RETURN(const std::string version, VersionDirectory(options.directory));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(version));
  const v1::VoiceSpec& spec = voice->spec;
  if (options.tag.empty()) options.tag = absl::StrCat(spec.name(), "-", voice->version);
  std::map<std::string, std::string> annotations = {
      {kOciTitle, spec.name()},
      {kOciVersion, absl::StrCat(voice->version)},
      {kOciDescription, spec.description()},
      {kOciLicences, spec.licence()},
  };
  std::erase_if(annotations, [](const auto& annotation) { return annotation.second.empty(); });
  RETURN_IF_ERROR(AddToOciLayout(ReadsBelow(version), annotations, options.tag, options.out));
  std::cout << "oci:" << options.out << ":" << options.tag << " holds " << spec.name() << "/" << voice->version << "\n";
  return absl::OkStatus();
}

}  // namespace

Action DeclareModelPull(CLI::App& app) {
  auto options = std::make_shared<PullOptions>();
  app.add_option("SOURCE", options->source,
                 "s3://BUCKET/PREFIX/violin (the newest), .../violin/3 or .../violin@champion; "
                 "oci://REGISTRY/REPOSITORY[:TAG]; oci:DIRECTORY[:TAG], a layout on disk")
      ->required();
  app.add_option("--repository,--model-repository", options->repository, "Directory of voices that it goes to")
      ->required();
  app.add_option_function<std::string>(
         "--output", [options](const std::string& form) { options->json = form == "json"; },
         "text for people, json: one object")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
  return [options] { return Pull(*options); };
}

Action DeclareModelPack(CLI::App& app) {
  auto options = std::make_shared<PackOptions>();
  app.add_option("DIR", options->directory, "Directory of a version, or of a model: its newest version")->required();
  app.add_option("--out", options->out, "Directory in OCI image layout; made where it is not there")->required();
  app.add_option("--tag", options->tag, "What it is found by there; violin-3 by default");
  return [options] { return Pack(*options); };
}

}  // namespace ddsp::client
