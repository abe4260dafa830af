#include "core/datasets/example_set.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

absl::StatusOr<TensorView> FindFeature(const Safetensors& file, const std::string& name, std::vector<int64_t> shape) {
  ASSIGN_OR_RETURN(TensorView view, file.Get(name));
  if (view.dtype == DType::kF32 && view.shape == shape) return view;
  return absl::InvalidArgumentError(absl::StrCat("'", name, "' is ", std::string(NameOf(view.dtype)), " [",
                                                 absl::StrJoin(view.shape, ", "), "], the index says F32 [",
                                                 absl::StrJoin(shape, ", "), "]"));
}

}  // namespace

absl::Status ExampleSet::AddShard(const std::string& path, const ExampleShard& info) {
  ASSIGN_OR_RETURN(Safetensors file, Safetensors::Map(path));
  Shard shard{std::move(file), {}};
  for (const std::string& name : names_) {
    std::vector<int64_t> shape = index_.features[name];
    shape.insert(shape.begin(), info.examples);
    absl::StatusOr<TensorView> view = FindFeature(shard.file, name, std::move(shape));
    if (!view.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", view.status().message()));
    shard.features.push_back(*std::move(view));
  }
  shards_.push_back(std::move(shard));
  starts_.push_back(starts_.back() + info.examples);
  return absl::OkStatus();
}

absl::StatusOr<ExampleSet> ExampleSet::Open(const std::string& directory) {
  ExampleSet set;
  ASSIGN_OR_RETURN(set.index_, ReadExampleIndex(directory));
  if (set.index_.state != ExampleSetState::kComplete) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory, ": the data set is not finished; it has ", set.index_.examples(),
                     " examples so far, and the command that made it goes on with it"));
  }
  for (const auto& [name, shape] : set.index_.features) set.names_.push_back(name);
  for (const ExampleShard& shard : set.index_.shards)
    RETURN_IF_ERROR(set.AddShard(absl::StrCat(directory, "/", shard.file), shard));
  return set;
}

absl::StatusOr<NamedTensors> ExampleSet::Batch(absl::Span<const int64_t> indices) const {
  for (const int64_t index : indices) {
    if (index < 0 || index >= size())
      return absl::OutOfRangeError(absl::StrCat("example ", index, " of a data set of ", size()));
  }
  NamedTensors batch;
  for (size_t feature = 0; feature < names_.size(); ++feature) {
    std::vector<int64_t> shape = index_.features.at(names_[feature]);
    shape.insert(shape.begin(), static_cast<int64_t>(indices.size()));
    at::Tensor values = at::empty(shape, at::kFloat);
    char* to = static_cast<char*>(values.data_ptr());
    for (const int64_t index : indices) {
      const size_t shard = std::upper_bound(starts_.begin(), starts_.end(), index) - starts_.begin() - 1;
      const std::string_view all = shards_[shard].features[feature].bytes;
      const size_t width = all.size() / (starts_[shard + 1] - starts_[shard]);
      std::memcpy(to, all.data() + (index - starts_[shard]) * width, width);
      to += width;
    }
    batch.emplace(names_[feature], std::move(values));
  }
  return batch;
}

}  // namespace ddsp
