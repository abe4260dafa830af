#include "core/base/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/mapped_file.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace ddsp {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxHeader = 100'000'000;  // the reference implementation's limit

constexpr std::pair<DType, std::string_view> kNames[] = {
    {DType::kF32, "F32"}, {DType::kF16, "F16"}, {DType::kBF16, "BF16"}, {DType::kF64, "F64"},
    {DType::kI32, "I32"}, {DType::kI64, "I64"}, {DType::kU8, "U8"},
};

absl::StatusOr<DType> ParseDType(std::string_view name) {
  for (const auto& [dtype, known] : kNames) {
    if (known == name) return dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat("unsupported dtype ", std::string(name)));
}

float HalfToFloat(uint16_t half) {
  const float sign = half & 0x8000 ? -1.0f : 1.0f;
  const int exponent = half >> 10 & 31;
  const float mantissa = half & 1023;
  if (exponent == 31)
    return mantissa ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(mantissa + 1024, exponent - 25);
}

uint16_t FloatToHalf(float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const float size = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (size >= 65520.0f) return sign | 0x7c00;
  // nearbyint rounds to nearest even; a carry out of the mantissa lands in the exponent, which is right.
  if (size < 6.103515625e-05f) return sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(size, 24)));
  int exponent;
  const float fraction = std::frexp(size, &exponent);  // [0.5, 1)
  const int mantissa = static_cast<int>(std::nearbyint(std::ldexp(fraction, 11))) - 1024;
  return sign | static_cast<uint16_t>(((exponent + 14) << 10) + mantissa);
}

template <typename T>
float LoadAsFloat(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return static_cast<float>(value);
}

float ElementAsFloat(DType dtype, const char* at) {
  uint16_t bits;
  switch (dtype) {
    case DType::kF32:
      return LoadAsFloat<float>(at);
    case DType::kF64:
      return LoadAsFloat<double>(at);
    case DType::kI32:
      return LoadAsFloat<int32_t>(at);
    case DType::kI64:
      return LoadAsFloat<int64_t>(at);
    case DType::kU8:
      return LoadAsFloat<uint8_t>(at);
    case DType::kF16:
      std::memcpy(&bits, at, 2);
      return HalfToFloat(bits);
    case DType::kBF16:
      std::memcpy(&bits, at, 2);
      return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
  return 0;
}

// The parser keeps the last of two equal keys; a file that has them is either broken or up to something.
Json ParseUnique(std::string_view text, std::string* duplicate) {
  std::vector<std::set<std::string>> seen;
  const auto callback = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) seen.emplace_back();
    if (event == Json::parse_event_t::object_end) seen.pop_back();
    if (event == Json::parse_event_t::key && !seen.back().insert(parsed.get<std::string>()).second) {
      *duplicate = parsed.get<std::string>();
    }
    return true;
  };
  return Json::parse(text.begin(), text.end(), callback, /*allow_exceptions=*/false);
}

absl::StatusOr<std::vector<int64_t>> ParseShape(const Json& json) {
  std::vector<int64_t> shape;
  int64_t elements = 1;
  if (!json.is_array()) return absl::InvalidArgumentError("shape is not a list");
  for (const Json& size : json) {
    if (!size.is_number_unsigned()) return absl::InvalidArgumentError("shape holds something that is not a size");
    shape.push_back(size.get<int64_t>());
    if (shape.back() < 0 || __builtin_mul_overflow(elements, shape.back(), &elements) ||
        elements > (int64_t{1} << 40)) {
      return absl::InvalidArgumentError("shape is too large");
    }
  }
  return shape;
}

absl::Status ForTensor(std::string_view name, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("tensor '", std::string(name), "': ", std::string(what)));
}

absl::StatusOr<Safetensors> WithPath(const std::string& path, absl::StatusOr<Safetensors> file) {
  if (file.ok()) return file;
  return absl::Status(file.status().code(), absl::StrCat(path, ": ", file.status().message()));
}

}  // namespace

int64_t SizeOf(DType dtype) {
  switch (dtype) {
    case DType::kU8:
      return 1;
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kF32:
    case DType::kI32:
      return 4;
    default:
      return 8;
  }
}

std::string_view NameOf(DType dtype) {
  for (const auto& [known, name] : kNames) {
    if (known == dtype) return name;
  }
  return "?";
}

int64_t TensorView::elements() const {
  int64_t elements = 1;
  for (const int64_t size : shape) elements *= size;
  return elements;
}

absl::Status Safetensors::ParseHeader(std::string_view header, size_t data_begin) {
  std::string duplicate;
  const Json json = ParseUnique(header, &duplicate);
  if (!json.is_object()) return absl::InvalidArgumentError("safetensors header is not a JSON object");
  if (!duplicate.empty()) return ForTensor(duplicate, "key appears twice");
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, text] : value.items()) {
        if (!text.is_string()) return ForTensor(name, "metadata must be strings");
        metadata_[key] = text.get<std::string>();
      }
      continue;
    }
    const auto member = [&value = value](const char* key) {
      return value.is_object() ? value.value(key, Json()) : Json();
    };
    if (!member("dtype").is_string()) return ForTensor(name, "no dtype");
    ASSIGN_OR_RETURN(const DType dtype, ParseDType(member("dtype").get<std::string>()));
    absl::StatusOr<std::vector<int64_t>> shape = ParseShape(member("shape"));
    if (!shape.ok()) return ForTensor(name, std::string(shape.status().message()));
    const Json offsets = member("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      return ForTensor(name, "no data_offsets");
    }
    const uint64_t begin = offsets[0], end = offsets[1], available = bytes_.size() - data_begin;
    if (begin > end || end > available) return ForTensor(name, "lies outside of the file");
    Entry entry{dtype, *std::move(shape), data_begin + begin, data_begin + end};
    if (TensorView{dtype, entry.shape, {}}.elements() * SizeOf(dtype) != static_cast<int64_t>(end - begin)) {
      return ForTensor(name, "its bytes do not fit its shape");
    }
    entries_.emplace(name, std::move(entry));
  }
  return absl::OkStatus();
}

absl::Status Safetensors::CheckLayout(size_t data_begin) const {
  std::vector<std::pair<size_t, std::string_view>> order;
  for (const auto& [name, entry] : entries_) order.emplace_back(entry.begin, name);
  // Empty arrays share their place with a neighbour and sort before it.
  std::sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
    return std::pair(a.first, entries_.find(a.second)->second.end) <
           std::pair(b.first, entries_.find(b.second)->second.end);
  });
  size_t at = data_begin;
  for (const auto& [begin, name] : order) {
    if (begin < at) return ForTensor(name, "overlaps another");
    if (begin > at) return ForTensor(name, "leaves a hole before it");
    at = entries_.find(name)->second.end;
  }
  if (at != bytes_.size()) return absl::InvalidArgumentError("bytes after the last tensor");
  return absl::OkStatus();
}

absl::StatusOr<Safetensors> Safetensors::Parse(std::shared_ptr<const void> owner, std::string_view bytes) {
  Safetensors file;
  file.owner_ = std::move(owner);
  file.bytes_ = bytes;
  uint64_t header_size = 0;
  if (file.bytes_.size() < sizeof header_size) return absl::InvalidArgumentError("safetensors file is cut off");
  std::memcpy(&header_size, file.bytes_.data(), sizeof header_size);
  if (header_size > kMaxHeader)
    return absl::InvalidArgumentError(absl::StrCat("safetensors header of ", header_size, " bytes"));
  if (header_size > file.bytes_.size() - 8) return absl::InvalidArgumentError("safetensors header is cut off");
  const std::string_view header = file.bytes_.substr(8, header_size);
  if (header.empty() || header[0] != '{') return absl::InvalidArgumentError("safetensors header is not a JSON object");
  RETURN_IF_ERROR(file.ParseHeader(header, 8 + header_size));
  RETURN_IF_ERROR(file.CheckLayout(8 + header_size));
  return file;
}

absl::StatusOr<Safetensors> Safetensors::Parse(std::string bytes) {
  const auto owner = std::make_shared<const std::string>(std::move(bytes));
  return Parse(owner, *owner);
}

absl::StatusOr<Safetensors> Safetensors::Read(const std::string& path) {
  ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  return WithPath(path, Parse(std::move(bytes)));
}

absl::StatusOr<Safetensors> Safetensors::Map(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  const auto owner = std::make_shared<const MappedFile>(std::move(file));
  return WithPath(path, Parse(owner, owner->bytes()));
}

absl::StatusOr<TensorView> Safetensors::Get(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return absl::NotFoundError(absl::StrCat("no tensor '", std::string(name), "'"));
  const Entry& entry = found->second;
  return TensorView{entry.dtype, entry.shape, bytes_.substr(entry.begin, entry.end - entry.begin)};
}

absl::StatusOr<std::vector<float>> Safetensors::GetFloats(std::string_view name) const {
  ASSIGN_OR_RETURN(const TensorView view, Get(name));
  std::vector<float> values(view.elements());
  const int64_t width = SizeOf(view.dtype);
  for (size_t i = 0; i < values.size(); ++i) values[i] = ElementAsFloat(view.dtype, view.bytes.data() + i * width);
  return values;
}

std::vector<std::string> Safetensors::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

void SafetensorsWriter::Add(std::string name, DType dtype, std::vector<int64_t> shape, std::string bytes) {
  arrays_[std::move(name)] = Array{dtype, std::move(shape), std::move(bytes)};
}

void SafetensorsWriter::AddFloats(std::string name, std::vector<int64_t> shape, const float* values) {
  const int64_t elements = TensorView{DType::kF32, shape, {}}.elements();
  Add(std::move(name), DType::kF32, std::move(shape), std::string(reinterpret_cast<const char*>(values), elements * 4));
}

void SafetensorsWriter::AddHalves(std::string name, std::vector<int64_t> shape, const float* values) {
  const int64_t elements = TensorView{DType::kF16, shape, {}}.elements();
  std::string bytes(elements * 2, '\0');
  for (int64_t i = 0; i < elements; ++i) {
    const uint16_t half = FloatToHalf(values[i]);
    std::memcpy(&bytes[i * 2], &half, 2);
  }
  Add(std::move(name), DType::kF16, std::move(shape), std::move(bytes));
}

std::string SafetensorsWriter::Format() const {
  Json header = Json::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  uint64_t at = 0;
  for (const auto& [name, array] : arrays_) {
    header[name] = {
        {"dtype", NameOf(array.dtype)}, {"shape", array.shape}, {"data_offsets", {at, at + array.bytes.size()}}};
    at += array.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // keeps the arrays aligned
  const uint64_t header_size = text.size();
  std::string out(reinterpret_cast<const char*>(&header_size), sizeof header_size);
  out += text;
  for (const auto& [name, array] : arrays_) out += array.bytes;
  return out;
}

absl::Status SafetensorsWriter::Write(const std::string& path) const { return WriteFileAtomically(path, Format()); }

}  // namespace ddsp
