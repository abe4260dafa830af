// From an imported model to a voice that can be served, or to a file of parameters for the library.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/importer/checkpoint_map.h"
#include "core/importer/dataset_statistics.h"
#include "core/importer/model_config.h"
#include "core/models/voice.h"

namespace ddsp::importer {

// All that a training directory says of a model.
struct ImportedModel {
  ModelConfig config;
  std::string gin;  // the configuration's text
  ImportedWeights weights;
  std::optional<DatasetStatistics> statistics;  // none where the directory has none
};

// `path`: a training directory or a checkpoint in it. Errors: those of the readers, each naming its file.
absl::StatusOr<ImportedModel> ReadTrainingDirectory(const std::string& path);

struct ParameterFiles {
  std::string parameters;  // safetensors, see core/importer/parameter_file
  std::string config;      // gin; empty: the text that WriteParameters() left in the parameters' metadata
  std::string statistics;  // dataset_statistics.pkl; empty: those of the metadata, if it has any
};

// Errors: those of the readers, each naming its file; INVALID_ARGUMENT where there is no configuration.
absl::StatusOr<ImportedModel> ReadParameterFiles(const ParameterFiles& files);

// "mean_of_power", "mean_of_db": what bundles and parameter files call them.
std::string NameOf(LoudnessDefinition definition);

// The extractor measures loudness as upstream has since 2.0.0; a model of before hears other numbers from it.
enum class OldLoudness { kRefuse, kAccept };

struct VoiceImportOptions {
  std::string name;  // [a-z][a-z0-9-]{0,62}
  int64_t version = 1;
  std::string description, licence, attribution;
  WeightStorage storage = WeightStorage::kFloat32;
  std::string arithmetic = "float32";  // of the decoder, see proto/ddsp/v1/model.proto
  uint64_t seed = 1;                   // of the draw of a noise reverb's impulse response, which is stored
  OldLoudness old_loudness = OldLoudness::kRefuse;
};

// A complete voice, its golden audio rendered by the streaming engine. The dynamics and register of its profile come
// from the statistics: minimum, mean and maximum stand for the quantiles. Errors: UNIMPLEMENTED listing why the engine
// cannot play it; FAILED_PRECONDITION for an old loudness; INTERNAL for a voice that does not validate.
absl::StatusOr<Voice> MakeImportedVoice(const ImportedModel& model, const VoiceImportOptions& options);

// Writes every parameter (float32, upstream's paths) with recipe, configuration and statistics as metadata: for models
// of any architecture.
absl::Status WriteParameters(const ImportedModel& model, const std::string& path);

}  // namespace ddsp::importer
