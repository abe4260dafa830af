#include "core/importer/training_directory.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"

namespace ddsp::importer {
namespace {

namespace fs = std::filesystem;
constexpr char kIndex[] = ".index", kState[] = "checkpoint", kStatistics[] = "dataset_statistics.pkl";

// The file <prefix>N<suffix> in `directory` with the largest N.
std::optional<fs::path> Latest(const fs::path& directory, absl::string_view prefix, absl::string_view suffix) {
  std::optional<fs::path> latest;
  int64_t latest_step = -1;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    absl::string_view step = name;
    int64_t number = 0;
    if (!absl::ConsumePrefix(&step, prefix) || !absl::ConsumeSuffix(&step, suffix) || !absl::SimpleAtoi(step, &number))
      continue;
    if (number <= latest_step) continue;
    latest_step = number;
    latest = entry.path();
  }
  return latest;
}

// The checkpoint that the file `checkpoint` names. Its directory is of the machine that wrote it: the name counts.
std::optional<fs::path> NamedByState(const fs::path& directory) {
  const absl::StatusOr<std::string> text = ReadFile(directory / kState);
  if (!text.ok()) return std::nullopt;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (!absl::ConsumePrefix(&line, "model_checkpoint_path: \"") || !absl::ConsumeSuffix(&line, "\"")) continue;
    const fs::path prefix = directory / fs::path(std::string(line)).filename();
    if (fs::exists(prefix.string() + kIndex)) return prefix;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<TrainingDirectory> FindTrainingFiles(const std::string& path) {
  std::error_code error;
  TrainingDirectory found;
  fs::path directory = path;
  if (fs::is_directory(directory, error)) {
    std::optional<fs::path> checkpoint = NamedByState(directory);
    if (!checkpoint) {
      checkpoint = Latest(directory, "ckpt-", kIndex);
      if (checkpoint) checkpoint->replace_extension();
    }
    if (!checkpoint) return absl::NotFoundError(absl::StrCat(path, ": no checkpoint (ckpt-N.index) in it"));
    found.checkpoint = checkpoint->string();
  } else {
    found.checkpoint = std::string(absl::StripSuffix(path, kIndex));
    if (!fs::exists(found.checkpoint + kIndex, error))
      return absl::NotFoundError(absl::StrCat(path, ": neither a directory nor a checkpoint"));
    directory = fs::path(found.checkpoint).parent_path();
    if (directory.empty()) directory = ".";
  }
  const std::optional<fs::path> config = Latest(directory, "operative_config-", ".gin");
  if (!config)
    return absl::NotFoundError(
        absl::StrCat(directory.string(), ": no operative_config-N.gin, which says what model it is"));
  found.config = config->string();
  if (fs::exists(directory / kStatistics, error)) found.statistics = directory / kStatistics;
  return found;
}

}  // namespace ddsp::importer
