#include "core/datasets/example_set_writer.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

std::vector<int64_t> ExampleShape(const at::Tensor& examples) {
  return {examples.sizes().begin() + 1, examples.sizes().end()};
}

absl::Status CheckSame(const std::string& directory, const ExampleIndex& there, const ExampleIndex& wanted) {
  const std::string what = absl::StrCat(directory, " holds a data set of ", there.examples(), " examples");
  if (there.state == ExampleSetState::kComplete) return absl::AlreadyExistsError(what + "; remove it first");
  if (there.recipe == wanted.recipe && there.sample_rate == wanted.sample_rate && there.frame_rate == wanted.frame_rate)
    return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(what, ", unfinished and made differently: '", there.recipe, "', not '",
                                               wanted.recipe, "'; remove it first"));
}

}  // namespace

ExampleSetWriter::ExampleSetWriter(std::string directory, const Options& options)
    : directory_(std::move(directory)), shard_bytes_(options.shard_bytes) {
  index_.recipe = options.recipe;
  index_.sample_rate = options.sample_rate;
  index_.frame_rate = options.frame_rate;
}

absl::StatusOr<ExampleSetWriter> ExampleSetWriter::Open(const std::string& directory, const Options& options) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return absl::InternalError(absl::StrCat("cannot make ", directory, ": ", error.message()));
  ExampleSetWriter writer(directory, options);
  absl::StatusOr<ExampleIndex> there = ReadExampleIndex(directory);
  if (absl::IsNotFound(there.status())) return writer;
  if (!there.ok()) return there.status();
  RETURN_IF_ERROR(CheckSame(directory, *there, writer.index_));
  writer.index_ = *std::move(there);
  return writer;
}

absl::Status ExampleSetWriter::CheckFeatures(const NamedTensors& examples) const {
  const int64_t n = examples.empty() || examples.begin()->second.dim() == 0 ? 0 : examples.begin()->second.size(0);
  for (const auto& [name, values] : examples) {
    if (values.dim() == 0 || values.size(0) != n)
      return absl::InvalidArgumentError(absl::StrCat("'", name, "' does not have ", n, " examples as others do"));
    if (!at::isfinite(values).all().item<bool>())
      return absl::InvalidArgumentError(
          absl::StrCat("'", name, "' of example ", size(), " or of one of the ", n - 1, " after it is not finite"));
    if (index_.features.empty()) continue;
    const auto known = index_.features.find(name);
    if (known == index_.features.end())
      return absl::InvalidArgumentError(absl::StrCat("'", name, "' is not a feature of the examples before"));
    if (known->second != ExampleShape(values))
      return absl::InvalidArgumentError(absl::StrCat("'", name, "' is [", absl::StrJoin(ExampleShape(values), ", "),
                                                     "], [", absl::StrJoin(known->second, ", "),
                                                     "] in the examples before"));
  }
  for (const auto& [name, shape] : index_.features) {
    if (!examples.contains(name))
      return absl::InvalidArgumentError(absl::StrCat("'", name, "' is missing from example ", size()));
  }
  return n > 0 ? absl::OkStatus() : absl::InvalidArgumentError("no examples to add");
}

absl::Status ExampleSetWriter::Add(const NamedTensors& examples) {
  RETURN_IF_ERROR(CheckFeatures(examples));
  std::map<std::string, at::Tensor> columns;
  for (const auto& [name, values] : examples) {
    columns[name] = values.detach().to(at::kCPU, at::kFloat).contiguous();
    index_.features[name] = ExampleShape(values);
  }
  const int64_t n = columns.begin()->second.size(0);
  for (int64_t i = 0; i < n; ++i) {
    for (const auto& [name, values] : columns) {
      const int64_t bytes = values[i].numel() * int64_t{sizeof(float)};
      pending_[name].append(static_cast<const char*>(values.data_ptr()) + i * bytes, bytes);
      pending_bytes_ += bytes;
    }
    ++pending_examples_;
    if (pending_bytes_ >= shard_bytes_) RETURN_IF_ERROR(WriteShard());
  }
  return absl::OkStatus();
}

absl::Status ExampleSetWriter::WriteShard() {
  const std::string file = absl::StrFormat("examples-%05d.safetensors", index_.shards.size());
  SafetensorsWriter writer;
  for (auto& [name, bytes] : pending_) {
    std::vector<int64_t> shape = index_.features[name];
    shape.insert(shape.begin(), pending_examples_);
    writer.Add(name, DType::kF32, std::move(shape), std::move(bytes));
  }
  RETURN_IF_ERROR(writer.Write(absl::StrCat(directory_, "/", file)));
  index_.shards.push_back({file, pending_examples_});
  pending_.clear();
  pending_examples_ = pending_bytes_ = 0;
  return WriteExampleIndex(directory_, index_);
}

absl::Status ExampleSetWriter::Finish() {
  if (size() == 0) return absl::FailedPreconditionError(absl::StrCat(directory_, ": a data set without examples"));
  index_.state = ExampleSetState::kComplete;
  return pending_examples_ > 0 ? WriteShard() : WriteExampleIndex(directory_, index_);
}

}  // namespace ddsp
