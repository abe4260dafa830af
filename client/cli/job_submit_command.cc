#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/job_inputs.h"
#include "client/cli/job_json.h"
#include "client/cli/job_session.h"
#include "client/cli/job_upload.h"
#include "core/base/status_macros.h"
#include "core/gin/parser.h"
#include "core/models/performer_profile.h"
#include "core/training/recipe/recipe_overrides.h"

namespace ddsp::client {
namespace {

using Files = google::protobuf::RepeatedPtrField<v1::JobFile>;

// Recordings of a train job below it are evaluated on, never trained on.
constexpr char kHeldOut[] = "held-out/";
bool IsHeldOut(const v1::JobFile& file) { return absl::StartsWith(file.path(), kHeldOut); }

struct Options {
  JobOptions job;
  v1::CreateJobRequest request;
  std::vector<std::string> inputs, held_out, overrides;
};

void AddCommonOptions(CLI::App& app, Options* options) {
  AddJobOptions(app, &options->job);
  v1::CreateJobRequest& request = options->request;
  app.add_option_function<int>(
         "--priority", [&](int priority) { request.set_priority(priority); }, "Lower goes first, as niceness; else 0")
      ->check(CLI::Range(-100, 100));
  app.add_option_function<std::string>(
      "--request-id", [&](const std::string& id) { request.set_request_id(id); },
      "With the same one again: the same job, not another; at most 63 bytes");
  app.add_option_function<std::string>(
      "--display-name", [&](const std::string& name) { request.set_display_name(name); }, "For people, in lists");
  app.footer(
      "Ctrl-C stops an upload; the same command goes on from there.\n"
      "Exit codes: 0 submitted, 1 error, 2 usage, 6 the server was not reached, 130 interrupted.");
}

void AddSeed(CLI::App& app, std::function<void(uint64_t)> set) {
  app.add_option_function<uint64_t>("--seed", std::move(set), "Of everything that is drawn by chance; else 0");
}

void AddInputs(CLI::App& app, const char* help, Options* options) {
  app.add_option("--input", options->inputs, help)->required();
}

absl::Status Submit(Options& options, JobSession& session) {
  const absl::StatusOr<v1::Job> job = session.jobs().Create(options.request);
  if (!job.ok()) return session.Explain(job.status());
  std::cout << (options.job.json ? ToJson(*job).dump(2) : job->name()) << std::endl;
  return absl::OkStatus();
}

// Uploads the inputs into `files` and submits.
absl::Status SubmitInputs(Options& options, InputKind kind, Files* files) {
  ASSIGN_OR_RETURN(const InputFiles inputs, FindInputs(options.inputs, kind));
  Report(kind == InputKind::kRecordings ? "recordings" : "feature files", inputs);
  JobSession session(options.job);
  absl::StatusOr<Files> uploaded = Upload(inputs, session.blobs());
  if (!uploaded.ok()) return session.Explain(uploaded.status());
  *files = *std::move(uploaded);
  return Submit(options, session);
}

// "train.schedule=cosine" as gin writes it: "train.schedule = 'cosine'".
absl::StatusOr<std::string> ToGin(const std::string& text) {
  const size_t equals = text.find('=');
  const auto key = absl::StripAsciiWhitespace(absl::string_view(text).substr(0, equals));
  if (equals == text.npos || key.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--set ", text, ": not of the form parameter=value"));
  }
  const auto value = absl::StripAsciiWhitespace(absl::string_view(text).substr(equals + 1));
  const std::string plain = absl::StrCat(key, " = ", value);
  if (gin::ParseStatements(plain).ok()) return plain;
  const std::string quoted = absl::StrCat(key, " = '", value, "'");
  if (gin::ParseStatements(quoted).ok()) return quoted;
  return absl::InvalidArgumentError(absl::StrCat("--set ", text, ": ", gin::ParseStatements(plain).status().message()));
}

// A recording that is evaluated on is not trained on, under whatever name it came.
Files WithoutHeldOut(Files files) {
  std::set<std::string> held_out;
  for (const v1::JobFile& file : files) {
    if (IsHeldOut(file)) held_out.insert(file.sha256());
  }
  Files kept;
  for (v1::JobFile& file : files) {
    if (!IsHeldOut(file) && held_out.contains(file.sha256())) {
      std::cerr << file.path() << " is held out: not trained on\n";
    } else {
      *kept.Add() = std::move(file);
    }
  }
  return kept;
}

absl::Status SubmitTraining(Options options) {
  v1::TrainSpec& train = *options.request.mutable_spec()->mutable_train();
  training::RecipeOverrides read;
  for (const std::string& text : options.overrides) {
    ASSIGN_OR_RETURN(*train.add_overrides(), ToGin(text));
    // What no worker would take is not worth an upload.
    const std::string& gin = train.overrides(train.overrides_size() - 1);
    if (const absl::Status known = training::ReadOverride(gin, &read); !known.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--set ", known.message()));
    }
  }
  if (options.request.display_name().empty()) options.request.set_display_name(train.model());
  ASSIGN_OR_RETURN(InputFiles data, FindInputs(options.inputs, InputKind::kRecordings));
  Report("recordings", data);
  if (!options.held_out.empty()) {
    ASSIGN_OR_RETURN(InputFiles held_out, FindInputs(options.held_out, InputKind::kRecordings));
    Report("recordings held out", held_out);
    for (InputFile& file : held_out.files) {
      file.path = kHeldOut + file.path;
      data.files.push_back(std::move(file));
    }
  }
  JobSession session(options.job);
  absl::StatusOr<Files> files = Upload(data, session.blobs());
  if (!files.ok()) return session.Explain(files.status());
  *train.mutable_data() = WithoutHeldOut(*std::move(files));
  if (std::all_of(train.data().begin(), train.data().end(), IsHeldOut)) {
    return absl::InvalidArgumentError(absl::StrCat(options.inputs[0], ": every recording is held out"));
  }
  return Submit(options, session);
}

// What the file says, once it is known to be a profile.
std::string ProfileText(const std::string& path) {
  const absl::StatusOr<PerformerProfile> profile = ReadProfile(path);
  if (!profile.ok()) throw CLI::ValidationError("--profile", std::string(profile.status().message()));
  return FormatProfile(*profile);
}

}  // namespace

Action DeclareJobSubmitTrain(CLI::App& app) {
  auto options = std::make_shared<Options>();
  v1::TrainSpec& train = *options->request.mutable_spec()->mutable_train();
  app.add_option("--data", options->inputs,
                 "Folder of recordings of one instrument, or recordings; those below its held-out/ are evaluated on "
                 "only")
      ->required();
  train.set_recipe("vst");
  app.add_option_function<std::string>(
         "--recipe", [&](const std::string& recipe) { train.set_recipe(recipe); }, "What is trained; else vst")
      ->check(CLI::IsMember(training::KnownRecipes()));
  app.add_option_function<std::string>(
         "--name", [&](const std::string& name) { train.set_model(name); },
         "Of the voice: small letters, digits and '-', a letter first, at most 63")
      ->check(
          [](const std::string& name) -> std::string {
            const bool fits = !name.empty() && name.size() <= 63 && absl::ascii_islower(name[0]) &&
                              name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == name.npos;
            return fits ? "" : absl::StrCat("'", name, "' is not [a-z][a-z0-9-]{0,62}");
          },
          "VOICE")
      ->required();
  app.add_option_function<int64_t>(
         "--steps", [&](int64_t steps) { train.set_steps(steps); }, "Optimiser steps; else as the recipe says")
      ->check(CLI::Range(1, 100000000));
  app.add_option("--held-out", options->held_out, "Folder or recordings to evaluate on, never trained on");
  app.add_option("--set,--override", options->overrides,
                 "PARAMETER=VALUE that differs from the recipe's, as in "
                 "train.batch_size=8");
  AddSeed(app, [&](uint64_t seed) { train.set_seed(seed); });
  AddCommonOptions(app, options.get());
  return [options] { return SubmitTraining(*options); };
}

Action DeclareJobSubmitTransfer(CLI::App& app) {
  auto options = std::make_shared<Options>();
  v1::TransferSpec& transfer = *options->request.mutable_spec()->mutable_transfer();
  AddInputs(app, "Recordings, or folders of them", options.get());
  app.add_option_function<std::string>(
         "--model", [&](const std::string& model) { transfer.set_model(model); }, "Voice: NAME or NAME/VERSION")
      ->required();
  app.add_option_function<std::string>(
      "--profile", [&](const std::string& path) { transfer.set_profile(ProfileText(path)); },
      "File that `ddsp profile` has written of the performer");
  AddSeed(app, [&](uint64_t seed) { transfer.set_seed(seed); });
  AddCommonOptions(app, options.get());
  return [options, &transfer] { return SubmitInputs(*options, InputKind::kRecordings, transfer.mutable_inputs()); };
}

Action DeclareJobSubmitRender(CLI::App& app) {
  auto options = std::make_shared<Options>();
  v1::RenderSpec& render = *options->request.mutable_spec()->mutable_render();
  AddInputs(app, "Files of features, as a features job or `ddsp features` writes them, or folders of them",
            options.get());
  app.add_option_function<std::string>(
         "--model", [&](const std::string& model) { render.set_model(model); }, "Voice: NAME or NAME/VERSION")
      ->required();
  AddSeed(app, [&](uint64_t seed) { render.set_seed(seed); });
  AddCommonOptions(app, options.get());
  return [options, &render] { return SubmitInputs(*options, InputKind::kFeatures, render.mutable_inputs()); };
}

Action DeclareJobSubmitFeatures(CLI::App& app) {
  auto options = std::make_shared<Options>();
  v1::FeaturesSpec& features = *options->request.mutable_spec()->mutable_features();
  AddInputs(app, "Recordings, or folders of them", options.get());
  app.add_option_function<int>(
         "--frame-rate", [&](int rate) { features.set_frame_rate_hz(rate); },
         "Frames a second, a divisor of 16000; else 100")
      ->check(CLI::Range(25, 250));
  AddCommonOptions(app, options.get());
  return [options, &features] { return SubmitInputs(*options, InputKind::kRecordings, features.mutable_inputs()); };
}

}  // namespace ddsp::client
