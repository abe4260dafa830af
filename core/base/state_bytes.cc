#include "core/base/state_bytes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace ddsp {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

void StateWriter::Int(int64_t value) { Append(&value, sizeof value); }
void StateWriter::Float(float value) { Append(&value, sizeof value); }
void StateWriter::Double(double value) { Append(&value, sizeof value); }
void StateWriter::Floats(absl::Span<const float> values) { Append(values.data(), values.size() * sizeof(float)); }

void StateWriter::CountedFloats(absl::Span<const float> values) {
  Int(static_cast<int64_t>(values.size()));
  Floats(values);
}

void StateWriter::Bytes(std::string_view bytes) {
  Int(static_cast<int64_t>(bytes.size()));
  Append(bytes.data(), bytes.size());
}

bool StateReader::Take(void* data, size_t size) {
  if (ok() && left_.size() < size) Fail("it ends too early");
  if (!ok()) {
    if (size > 0) std::memset(data, 0, size);
    return false;
  }
  if (size > 0) std::memcpy(data, left_.data(), size);  // takes no null, whatever the size
  left_.remove_prefix(size);
  return true;
}

int64_t StateReader::Int(int64_t least, int64_t most) {
  int64_t value = 0;
  if (!Take(&value, sizeof value)) return least;
  if (value >= least && value <= most) return value;
  Fail(absl::StrCat(value, " is outside ", least, "..", most));
  return least;
}

float StateReader::Float() {
  float value = 0;
  Floats(absl::MakeSpan(&value, 1));
  return value;
}

double StateReader::Double() {
  double value = 0;
  if (!Take(&value, sizeof value) || std::isfinite(value)) return value;
  Fail("a number is not finite");
  return 0;
}

void StateReader::Floats(absl::Span<float> values) {
  if (!Take(values.data(), values.size() * sizeof(float))) return;
  if (std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) return;
  Fail("a number is not finite");
  std::fill(values.begin(), values.end(), 0.0f);
}

std::vector<float> StateReader::CountedFloats(size_t most) {
  // Never more memory than there are bytes.
  const size_t there = std::min(most, left_.size() / sizeof(float));
  std::vector<float> values(Int(0, static_cast<int64_t>(there)));
  Floats(absl::MakeSpan(values));
  return values;
}

std::string_view StateReader::Bytes() {
  const auto size = static_cast<size_t>(Int(0, static_cast<int64_t>(left_.size())));
  if (!ok() || size > left_.size()) {
    Fail("it ends too early");
    return {};
  }
  const std::string_view bytes = left_.substr(0, size);
  left_.remove_prefix(size);
  return bytes;
}

void StateReader::Fail(std::string_view what) {
  if (ok()) problem_ = std::string(what);
}

absl::Status StateReader::Finish() {
  if (!left_.empty()) Fail(absl::StrCat(left_.size(), " bytes are left over"));
  if (ok()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the state cannot be read: ", problem_));
}

}  // namespace ddsp
