// tf.train.Example, the content of a record: features by name.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp {

struct ExampleRecord {
  std::map<std::string, std::vector<float>> floats;
  std::map<std::string, std::string> others;  // "bytes", "integers", "nothing": what features that are no floats hold

  std::vector<std::string> names() const;
};

// Errors: DATA_LOSS for bytes that are no such message.
absl::StatusOr<ExampleRecord> ParseExampleRecord(std::string_view bytes);

}  // namespace ddsp
