#include "core/training/event_file.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/wav.h"

namespace ddsp::training {
namespace {

// Little-endian bytes of a number.
template <class T>
std::string Fixed(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

enum WireType { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

std::string Tag(int field, WireType type) { return Varint(static_cast<uint64_t>(field) << 3 | type); }

std::string Bytes(int field, std::string_view content) {
  return Tag(field, kLengthDelimited) + Varint(content.size()) + std::string(content);
}

std::string Integer(int field, int64_t value) {
  return absl::StrCat(Tag(field, kVarint), Varint(static_cast<uint64_t>(value)));
}

std::string Float(int field, float value) { return absl::StrCat(Tag(field, kFixed32), Fixed(value)); }

std::string EventHead(absl::Time time, int64_t step) {
  const double seconds = absl::ToDoubleSeconds(time - absl::UnixEpoch());
  return absl::StrCat(Tag(1, kFixed64), Fixed(seconds), Tag(2, kVarint), Varint(static_cast<uint64_t>(step)));
}

}  // namespace

std::string FrameRecord(std::string_view data) {
  const std::string length = Fixed(static_cast<uint64_t>(data.size()));
  return length + Fixed(MaskedCrc32c(length)) + std::string(data) + Fixed(MaskedCrc32c(data));
}

std::string FormatScalarEvent(absl::Time time, int64_t step, std::string_view tag, float value) {
  const std::string scalar = absl::StrCat(Bytes(1, tag), Float(2, value));
  return absl::StrCat(EventHead(time, step), Bytes(5, Bytes(1, scalar)));
}

std::string FormatAudioEvent(absl::Time time, int64_t step, std::string_view tag, int sample_rate,
                             absl::Span<const float> audio) {
  const Wav wav{sample_rate, 1, std::vector<float>(audio.begin(), audio.end())};
  const std::string sound = absl::StrCat(Float(1, static_cast<float>(sample_rate)), Integer(2, 1),
                                         Integer(3, static_cast<int64_t>(audio.size())),
                                         Bytes(4, FormatWav(wav, WavEncoding::kPcm16)), Bytes(5, "audio/wav"));
  return absl::StrCat(EventHead(time, step), Bytes(5, Bytes(1, absl::StrCat(Bytes(1, tag), Bytes(6, sound)))));
}

std::string FormatImageEvent(absl::Time time, int64_t step, std::string_view tag, const PngPicture& picture) {
  constexpr int kRgb = 3;  // channels
  const std::string image =
      absl::StrCat(Integer(1, picture.height), Integer(2, picture.width), Integer(3, kRgb), Bytes(4, picture.bytes));
  return absl::StrCat(EventHead(time, step), Bytes(5, Bytes(1, absl::StrCat(Bytes(1, tag), Bytes(4, image)))));
}

absl::StatusOr<std::unique_ptr<EventFile>> EventFile::Create(const std::string& directory, absl::Time now) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  const std::string stem = absl::StrCat(directory, "/events.out.tfevents.", absl::ToUnixSeconds(now), ".", host);
  std::string path = stem;
  for (int n = 1; std::filesystem::exists(path); ++n) path = absl::StrCat(stem, ".", n);
  std::unique_ptr<EventFile> file(new EventFile(path));
  if (!file->out_) return absl::InternalError(absl::StrCat(path, ": cannot be written"));
  file->out_ << FrameRecord(absl::StrCat(EventHead(now, 0), Bytes(3, "brain.Event:2")));
  return file;
}

void EventFile::AddScalar(absl::Time time, int64_t step, std::string_view tag, float value) {
  out_ << FrameRecord(FormatScalarEvent(time, step, tag, value));
}

}  // namespace ddsp::training
