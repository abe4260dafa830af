#include "core/training/event_file.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"

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
  const std::string scalar = absl::StrCat(Bytes(1, tag), Tag(2, kFixed32), Fixed(value));
  return absl::StrCat(EventHead(time, step), Bytes(5, Bytes(1, scalar)));
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
