#include "core/datasets/example_record.h"

#include <limits>

#include "tensorflow/example.pb.h"

namespace ddsp {
namespace {

std::string KindOf(const tensorflow::Feature& feature) {
  if (feature.has_bytes_list()) return "bytes";
  return feature.has_int64_list() ? "integers" : "nothing";
}

}  // namespace

std::vector<std::string> ExampleRecord::names() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : floats) names.push_back(name);
  for (const auto& [name, kind] : others) names.push_back(name);
  return names;
}

absl::StatusOr<ExampleRecord> ParseExampleRecord(std::string_view bytes) {
  tensorflow::Example message;
  // Protobuf counts in int.
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::DataLossError("its content is no tf.train.Example");
  ExampleRecord record;
  for (const auto& [name, feature] : message.features().feature()) {
    if (feature.has_float_list()) {
      const auto& values = feature.float_list().value();
      record.floats[name].assign(values.begin(), values.end());
    } else {
      record.others[name] = KindOf(feature);
    }
  }
  return record;
}

}  // namespace ddsp
