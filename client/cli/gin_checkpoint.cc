#include "client/cli/gin_checkpoint.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"
#include "core/training/checkpoint.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;

// Of weights in a checkpoint; the optimiser's state has others.
constexpr char kWeights[] = "weights/";

// A folder that is gone when this is.
class ScratchFolder {
 public:
  static absl::StatusOr<ScratchFolder> Make() {
    std::string path = (fs::temp_directory_path() / "ddsp-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
    return ScratchFolder(std::move(path));
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// What the run would have written at its end.
absl::Status WriteParameters(const std::string& checkpoint, const std::string& target) {
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Map(checkpoint));
  SafetensorsWriter writer;
  for (const std::string& name : file.Names()) {
    absl::string_view parameter = name;
    if (!absl::ConsumePrefix(&parameter, kWeights)) continue;
    ASSIGN_OR_RETURN(const TensorView view, file.Get(name));
    ASSIGN_OR_RETURN(const std::vector<float> values, file.GetFloats(name));
    writer.AddFloats(std::string(parameter), view.shape, values.data());
  }
  writer.SetMetadata("loudness_definition", NameOf(importer::LoudnessDefinition::kMeanOfPower));
  return writer.Write(target);
}

void SetProfile(const training::MaterialProfile& material, v1::VoiceProfile* profile) {
  profile->Clear();
  for (const float quantile : material.profile.power_quantiles_db) profile->add_power_quantiles_db(quantile);
  profile->set_mean_pitch_midi(material.profile.mean_pitch_midi);
  profile->set_min_pitch_midi(material.min_pitch_midi);
  profile->set_max_pitch_midi(material.max_pitch_midi);
}

}  // namespace

absl::StatusOr<GinCheckpoint> FindGinCheckpoint(const std::string& path) {
  std::error_code error;
  GinCheckpoint found;
  if (fs::is_regular_file(path, error)) {
    found.path = path;
  } else {
    found.path = training::LatestCheckpoint(path + "/checkpoints");
    if (found.path.empty()) found.path = training::LatestCheckpoint(path);
  }
  const fs::path run = fs::absolute(found.path, error).parent_path().parent_path();
  found.config = (run / "operative_config.gin").string();
  if (found.path.empty() || !fs::exists(found.config, error)) {
    return absl::NotFoundError(absl::StrCat(path, ": no checkpoint of a gin configuration's model"));
  }
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Map(found.path));
  const auto step = file.metadata().find("step");
  if (step == file.metadata().end() || !absl::SimpleAtoi(step->second, &found.step)) {
    return absl::NotFoundError(absl::StrCat(found.path, ": is no checkpoint of a training run"));
  }
  return found;
}

absl::StatusOr<Voice> VoiceOfGinCheckpoint(const GinCheckpoint& checkpoint, const importer::VoiceImportOptions& options,
                                           const training::Dataset* material) {
  ASSIGN_OR_RETURN(const ScratchFolder scratch, ScratchFolder::Make());
  const std::string parameters = scratch.path() + "/weights.safetensors";
  RETURN_IF_ERROR(WriteParameters(checkpoint.path, parameters));
  ASSIGN_OR_RETURN(const importer::ImportedModel model,
                   importer::ReadParameterFiles({.parameters = parameters, .config = checkpoint.config}));
  ASSIGN_OR_RETURN(Voice voice, importer::MakeImportedVoice(model, options));
  if (material == nullptr) return voice;
  ASSIGN_OR_RETURN(const training::MaterialProfile profile, training::MeasureMaterial(*material));
  SetProfile(profile, voice.spec.mutable_profile());
  return voice;
}

}  // namespace ddsp::client
