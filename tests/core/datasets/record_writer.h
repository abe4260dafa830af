// Writes TFRecord files, so that the reader meets what upstream's tools do not write.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/crc32c.h"
#include "tensorflow/example.pb.h"

namespace ddsp {

inline std::string LittleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> 8 * i));
  return text;
}

// A record with right checksums.
inline std::string Record(std::string_view content) {
  const std::string length = LittleEndian(content.size(), 8);
  return length + LittleEndian(MaskedCrc32c(length), 4) + std::string(content) + LittleEndian(MaskedCrc32c(content), 4);
}

using Floats = std::map<std::string, std::vector<float>>;

inline std::string ExampleBytes(const Floats& features) {
  tensorflow::Example example;
  for (const auto& [name, values] : features) {
    tensorflow::FloatList& list = *(*example.mutable_features()->mutable_feature())[name].mutable_float_list();
    list.mutable_value()->Add(values.begin(), values.end());
  }
  return example.SerializeAsString();
}

}  // namespace ddsp
