#include "core/training/checkpoint_voice.h"

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"
#include "core/training/example_windows.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

// The word behind `key`, which is a word by itself.
std::string WordAfter(const std::vector<std::string>& words, const std::string& key) {
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == key) return words[i + 1];
  }
  return "";
}

absl::StatusOr<std::string> RunOptions(const std::string& path) {
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Map(path));
  const auto found = file.metadata().find("run_options");
  if (found != file.metadata().end()) return found->second;
  return absl::InvalidArgumentError(absl::StrCat(path, ": is no checkpoint of a training run"));
}

absl::StatusOr<VoiceCheckpoint> OpenFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string run_options, RunOptions(path));
  const absl::StatusOr<VoiceShape> shape = ShapeOfRun(run_options);
  if (!shape.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", shape.status().message()));
  ASSIGN_OR_RETURN(Checkpoint checkpoint, ReadCheckpoint(path, *shape));
  return VoiceCheckpoint{path, *shape, std::move(checkpoint)};
}

}  // namespace

absl::StatusOr<VoiceShape> ShapeOfRun(const std::string& run_options) {
  const absl::Status other = absl::InvalidArgumentError("is of no recipe's run; its options begin with '" +
                                                        run_options.substr(0, run_options.find('\n')) + "'");
  const std::vector<std::string> words = absl::StrSplit(run_options, ' ');
  absl::StatusOr<VoiceShape> shape = RecipeShape(words[0] == "shape" ? NameOf(Recipe::kVst) : words[0]);
  if (!shape.ok()) return other;
  int64_t* const numbers[] = {&shape->sample_rate,   &shape->hop,         &shape->channels,    &shape->layers_per_stack,
                              &shape->rnn_channels,  &shape->harmonics,   &shape->noise_bands, &shape->reverb_length,
                              &shape->reverb_frames, &shape->reverb_bands};
  const std::vector<std::string> sizes = absl::StrSplit(WordAfter(words, "shape"), '/');
  const std::vector<std::string> biases = absl::StrSplit(WordAfter(words, "bias"), '/');
  if (sizes.size() != std::size(numbers) || biases.size() != 2) return other;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (!absl::SimpleAtoi(sizes[i], numbers[i]) || *numbers[i] < 1) return other;
  }
  if (!absl::SimpleAtod(biases[0], &shape->noise_bias) || !absl::SimpleAtod(biases[1], &shape->reverb_bias))
    return other;
  return shape;
}

absl::StatusOr<VoiceCheckpoint> OpenVoiceCheckpoint(const std::string& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return OpenFile(path);
  for (const std::string& folder : {path + "/checkpoints", path}) {
    const std::vector<std::string> paths = ListCheckpoints(folder);
    for (auto newest = paths.rbegin(); newest != paths.rend(); ++newest) {
      absl::StatusOr<VoiceCheckpoint> opened = OpenFile(*newest);
      if (opened.ok() || newest + 1 == paths.rend()) return opened;
    }
  }
  return absl::NotFoundError(absl::StrCat(path, ": neither a checkpoint nor a folder with one"));
}

std::string DatasetOfRun(const std::string& checkpoint_path) {
  const fs::path run = fs::path(checkpoint_path).parent_path().parent_path();
  const std::string dataset = (run / "dataset").string();
  return IsDataset(dataset) ? dataset : "";
}

absl::StatusOr<Voice> VoiceOfCheckpoint(const VoiceCheckpoint& from, const Dataset& material,
                                        const ExportOptions& options) {
  if (material.sample_rate != from.shape.sample_rate) {
    return absl::FailedPreconditionError(absl::StrCat(from.path, ": a checkpoint of ", from.shape.sample_rate,
                                                      " Hz, and material of ", material.sample_rate, " Hz"));
  }
  ASSIGN_OR_RETURN(const MaterialProfile profile, MeasureMaterial(material));
  const Segment golden = FirstSound(material, WholeRecordings(material)[0], kGoldenSeconds);
  std::vector<float> input(golden.end - golden.begin);
  CopyAudio(material, golden, input.data());
  return MakeVoice(from.shape, from.checkpoint.weights, material.settings, profile, options, std::move(input));
}

}  // namespace ddsp::training
