#include "core/base/wav.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

static_assert(std::endian::native == std::endian::little, "WAV and safetensors are read in place");

constexpr int kFormatPcm = 1, kFormatFloat = 3, kFormatExtensible = 0xFFFE;

struct Format {
  int tag = 0, channels = 0, sample_rate = 0, bits = 0;
};

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void Append(std::string* to, T value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}

Format ParseFormat(std::string_view chunk) {
  Format format{Load<uint16_t>(&chunk[0]), Load<uint16_t>(&chunk[2]), Load<int32_t>(&chunk[4]),
                Load<uint16_t>(&chunk[14])};
  if (format.tag == kFormatExtensible && chunk.size() >= 26) format.tag = Load<uint16_t>(&chunk[24]);
  return format;
}

absl::Status ValidateFormat(const Format& format) {
  const bool known = (format.tag == kFormatPcm && (format.bits == 16 || format.bits == 24 || format.bits == 32)) ||
                     (format.tag == kFormatFloat && format.bits == 32);
  if (!known) {
    return absl::InvalidArgumentError(
        absl::StrCat("WAV encoding ", format.tag, " with ", format.bits, " bits is not supported"));
  }
  if (format.channels < 1) return absl::InvalidArgumentError("WAV file without channels");
  if (format.sample_rate < 1) return absl::InvalidArgumentError(absl::StrCat("WAV sample rate ", format.sample_rate));
  return absl::OkStatus();
}

float Decode(const Format& format, const char* at) {
  if (format.tag == kFormatFloat) return Load<float>(at);
  if (format.bits == 16) return Load<int16_t>(at) / 32768.0f;
  if (format.bits == 32) return static_cast<float>(Load<int32_t>(at) / 2147483648.0);
  const int32_t high = Load<uint8_t>(at) << 8 | Load<uint8_t>(at + 1) << 16 | Load<uint8_t>(at + 2) << 24;
  return static_cast<float>(high / 2147483648.0);
}

}  // namespace

absl::StatusOr<Wav> ParseWav(std::string_view bytes) {
  if (bytes.size() < 12 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 4) != "WAVE") {
    return absl::InvalidArgumentError("not a WAV file");
  }
  Format format;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const std::string_view id = bytes.substr(at, 4);
    const size_t size = Load<uint32_t>(&bytes[at + 4]);
    // A recorder that was cut off leaves a length that is too large: take what is there.
    const std::string_view chunk = bytes.substr(at + 8, size);
    if (id == "fmt ") {
      if (chunk.size() < 16) return absl::InvalidArgumentError("WAV header is cut off");
      format = ParseFormat(chunk);
      RETURN_IF_ERROR(ValidateFormat(format));
    } else if (id == "data") {
      if (format.channels == 0) return absl::InvalidArgumentError("WAV file has samples before a format");
      Wav wav{format.sample_rate, format.channels, {}};
      const size_t width = format.bits / 8;
      wav.samples.resize(chunk.size() / (width * format.channels) * format.channels);
      for (size_t i = 0; i < wav.samples.size(); ++i) wav.samples[i] = Decode(format, &chunk[i * width]);
      return wav;
    }
    at += 8 + size + size % 2;
  }
  return absl::InvalidArgumentError("WAV file without samples");
}

absl::StatusOr<Wav> ReadWav(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  absl::StatusOr<Wav> wav = ParseWav(bytes);
  if (!wav.ok()) return absl::Status(wav.status().code(), absl::StrCat(path, ": ", wav.status().message()));
  return wav;
}

std::string FormatWav(const Wav& wav, WavEncoding encoding) {
  const int width = encoding == WavEncoding::kPcm16 ? 2 : 4;
  const uint32_t data_size = static_cast<uint32_t>(wav.samples.size() * width);
  std::string out = "RIFF";
  out.reserve(44 + data_size);
  Append<uint32_t>(&out, 36 + data_size);
  out += "WAVEfmt ";
  Append<uint32_t>(&out, 16);
  Append<uint16_t>(&out, encoding == WavEncoding::kPcm16 ? kFormatPcm : kFormatFloat);
  Append<uint16_t>(&out, wav.channels);
  Append<uint32_t>(&out, wav.sample_rate);
  Append<uint32_t>(&out, static_cast<uint32_t>(wav.sample_rate) * wav.channels * width);
  Append<uint16_t>(&out, wav.channels * width);
  Append<uint16_t>(&out, width * 8);
  out += "data";
  Append<uint32_t>(&out, data_size);
  for (const float x : wav.samples) {
    if (encoding == WavEncoding::kFloat32) {
      Append(&out, x);
    } else {
      Append(&out, static_cast<int16_t>(std::lrint(std::clamp(x * 32768.0f, -32768.0f, 32767.0f))));
    }
  }
  return out;
}

absl::Status WriteWav(const std::string& path, const Wav& wav, WavEncoding encoding) {
  return WriteFileAtomically(path, FormatWav(wav, encoding));
}

}  // namespace ddsp
