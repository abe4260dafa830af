#include "core/models/trainable/gin_model.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/gin/registry.h"
#include "core/models/trainable/autoencoder.h"
#include "core/models/trainable/gin_arguments.h"
#include "core/models/trainable/inverse_synthesis.h"
#include "core/models/trainable/midi_autoencoder.h"

namespace ddsp {
namespace {

struct Entry {
  const char* class_name;
  std::unique_ptr<TrainableModel> (*make)(GinArguments& args);
};

constexpr Entry kEntries[] = {
    {"models.Autoencoder", AutoencoderFromGin},
    {"models.InverseSynthesis", InverseSynthesisFromGin},
    {"models.MidiAutoencoder", MidiAutoencoderFromGin},
    {"models.ZMidiAutoencoder", MidiAutoencoderFromGin},
};

// @models.X(), as get_model.model or for the only one there is.
absl::StatusOr<gin::Value> NamedModel(const gin::Config& config) {
  const absl::StatusOr<gin::Value> bound = config.Get("get_model", "model");
  if (bound.ok() || !absl::IsNotFound(bound.status())) return bound;
  std::vector<std::string> mentioned;
  for (const Entry& entry : kEntries) {
    if (config.Mentions(entry.class_name)) mentioned.emplace_back(entry.class_name);
  }
  if (mentioned.size() == 1) return gin::Value(gin::Reference{"", mentioned[0]});
  return absl::NotFoundError(absl::StrCat("the configuration does not bind get_model.model and configures ",
                                          mentioned.empty() ? "no model" : absl::StrJoin(mentioned, " and ")));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrainableModel>> ModelFromGin(const gin::Config& config,
                                                             const GinModelOptions& options) {
  GinProblems problems;
  const absl::Status known = gin::CheckKnown(config, gin::DdspConfigurables());
  problems.Add(known);
  const absl::StatusOr<gin::Value> named = NamedModel(config);
  if (!named.ok()) return known.ok() ? named.status() : problems.Finish();
  GinArguments args(config, *named, "", &problems, &options);
  for (const Entry& entry : kEntries) {
    if (args.class_name() != entry.class_name) continue;
    std::unique_ptr<TrainableModel> model = entry.make(args);
    RETURN_IF_ERROR(problems.Finish());
    InitializeParameters(*model, options.generator);
    return model;
  }
  if (!args.class_name().empty()) args.Reject(absl::StrCat(args.class_name(), " is no model"));
  RETURN_IF_ERROR(problems.Finish());
  return absl::InvalidArgumentError("get_model.model names no model");
}

}  // namespace ddsp
