// What a stream remembers, as bytes: written part by part, read back in the same order.
//
// The same on every machine: numbers are little-endian. Bytes may be anything: whatever is wrong with them makes the
// reader fail, and from then on it gives zeros and empty lists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace ddsp {

class StateWriter {
 public:
  void Int(int64_t value);
  void Float(float value);
  void Double(double value);
  // Their number is not written: who reads them knows it.
  void Floats(absl::Span<const float> values);
  // With their number.
  void CountedFloats(absl::Span<const float> values);
  void Bytes(std::string_view bytes);

  std::string Take() { return std::move(bytes_); }

 private:
  void Append(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }
  std::string bytes_;
};

class StateReader {
 public:
  // `bytes` outlive the reader.
  explicit StateReader(std::string_view bytes) : left_(bytes) {}

  // Fails outside least..most, and then gives `least`.
  int64_t Int(int64_t least, int64_t most);
  // Floats are finite, or it fails.
  float Float();
  double Double();
  void Floats(absl::Span<float> values);
  // Fails when there are more than `most`.
  std::vector<float> CountedFloats(size_t most);
  std::string_view Bytes();

  // `what` is wrong; the first to be told counts.
  void Fail(std::string_view what);
  bool ok() const { return problem_.empty(); }
  // OK when all went well and nothing is left. Errors: DATA_LOSS with what is wrong.
  absl::Status Finish();

 private:
  // False, and failed, when there are fewer.
  bool Take(void* data, size_t size);

  std::string_view left_;
  std::string problem_;
};

}  // namespace ddsp
