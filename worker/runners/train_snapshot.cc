#include "worker/runners/train_snapshot.h"

#include <cstdint>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"
#include "core/training/checkpoint.h"

namespace ddsp::worker {
namespace {

constexpr char kCheckpoint[] = "checkpoint", kMetrics[] = "metrics";

std::string MetricsPath(const std::string& directory) { return directory + "/logs/metrics.jsonl"; }

}  // namespace

absl::Status PackSnapshot(const std::string& file, const std::string& directory, const std::string& target) {
  ASSIGN_OR_RETURN(std::string checkpoint, ReadFile(file));
  // There is none before the first lines are due.
  absl::StatusOr<std::string> metrics = ReadFile(MetricsPath(directory));
  if (!metrics.ok()) metrics = "";
  SafetensorsWriter writer;
  const auto checkpoint_size = static_cast<int64_t>(checkpoint.size());
  const auto metrics_size = static_cast<int64_t>(metrics->size());
  writer.Add(kCheckpoint, DType::kU8, {checkpoint_size}, std::move(checkpoint));
  writer.Add(kMetrics, DType::kU8, {metrics_size}, *std::move(metrics));
  return writer.Write(target);
}

absl::Status UnpackSnapshot(const std::string& source, int64_t step, const std::string& directory) {
  ASSIGN_OR_RETURN(const Safetensors snapshot, Safetensors::Map(source));
  ASSIGN_OR_RETURN(const TensorView checkpoint, snapshot.Get(kCheckpoint));
  ASSIGN_OR_RETURN(const TensorView metrics, snapshot.Get(kMetrics));
  std::error_code error;
  std::filesystem::create_directories(directory + "/logs", error);
  if (!error) std::filesystem::create_directories(directory + "/checkpoints", error);
  if (error) return absl::InternalError(absl::StrCat(directory, ": ", error.message()));
  RETURN_IF_ERROR(WriteFileAtomically(MetricsPath(directory), metrics.bytes));
  return WriteFileAtomically(training::CheckpointPath(directory + "/checkpoints", step), checkpoint.bytes);
}

}  // namespace ddsp::worker
