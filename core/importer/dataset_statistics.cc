#include "core/importer/dataset_statistics.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/importer/pickle_reader.h"

namespace ddsp::importer {
namespace {

using Kind = PickleValue::Kind;
constexpr uintmax_t kMaxBytes = uintmax_t{64} << 20;
constexpr char kQuantileTransform[] = "quantile_transform";

// The values of an attribute that is an array, one dimensional but for axes of 1.
const std::vector<double>* ArrayOf(const PickleValue& object, std::string_view name) {
  const PickleValue* array = object.Find(name);
  if (array == nullptr || array->kind != Kind::kArray || array->values.empty()) return nullptr;
  const int64_t longest = *std::max_element(array->shape.begin(), array->shape.end());
  return longest == static_cast<int64_t>(array->values.size()) ? &array->values : nullptr;
}

bool RisesFinitely(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }) &&
         std::is_sorted(values.begin(), values.end());
}

absl::StatusOr<LoudnessQuantiles> QuantilesOf(const PickleValue& object) {
  if (object.kind != Kind::kObject) return absl::InvalidArgumentError("it is no QuantileTransformer");
  const std::vector<double>*references = ArrayOf(object, "references_"), *quantiles = ArrayOf(object, "quantiles_");
  if (references == nullptr || quantiles == nullptr) return absl::InvalidArgumentError("it was not fitted");
  if (references->size() != quantiles->size() || !RisesFinitely(*references) || !RisesFinitely(*quantiles) ||
      references->front() < 0 || references->back() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(references->size(), " references, ", quantiles->size(),
                                                   " quantiles: not as many of both, or not rising"));
  }
  LoudnessQuantiles result;
  result.references = *references;
  result.quantiles_db = *quantiles;
  const PickleValue* distribution = object.Find("output_distribution");
  if (distribution != nullptr && distribution->text == "normal")
    result.distribution = LoudnessQuantiles::Distribution::kNormal;
  return result;
}

}  // namespace

absl::StatusOr<DatasetStatistics> ParseDatasetStatistics(std::string_view bytes, const std::string& path) {
  ASSIGN_OR_RETURN(const Pickle pickle, Pickle::Parse(bytes, path));
  const PickleValue& root = pickle.root();
  if (root.kind != Kind::kDict) return absl::InvalidArgumentError(absl::StrCat(path, ": no dictionary of statistics"));
  DatasetStatistics statistics;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleValue &key = *root.items[i], &value = *root.items[i + 1];
    const std::string name = absl::CHexEscape(key.text);
    if (key.kind == Kind::kText && key.text == kQuantileTransform) {
      absl::StatusOr<LoudnessQuantiles> quantiles = QuantilesOf(value);
      if (!quantiles.ok())
        return absl::InvalidArgumentError(absl::StrCat(path, ": ", name, ": ", quantiles.status().message()));
      statistics.quantile_transform = *std::move(quantiles);
    } else if (key.kind == Kind::kText && value.kind == Kind::kNumber && std::isfinite(value.number)) {
      statistics.numbers[key.text] = value.number;
    } else {
      return absl::InvalidArgumentError(absl::StrCat(path, ": '", name, "' is no finite number"));
    }
  }
  return statistics;
}

absl::StatusOr<DatasetStatistics> ReadDatasetStatistics(const std::string& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > kMaxBytes)
    return absl::ResourceExhaustedError(absl::StrCat(path, ": ", size, " bytes, at most ", kMaxBytes));
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  return ParseDatasetStatistics(bytes, path);
}

}  // namespace ddsp::importer
