#include "core/datasets/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace ddsp {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;

class Inflater {
 public:
  explicit Inflater(std::string_view bytes) : bytes_(bytes) { inflateInit2(&stream_, kGzipOnly); }
  ~Inflater() { inflateEnd(&stream_); }

  // zlib counts input in 32 bits.
  int Advance(char* to, size_t room) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes_.data()));
    stream_.avail_in = static_cast<uInt>(std::min<size_t>(bytes_.size(), std::numeric_limits<uInt>::max()));
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(room);
    const uInt before = stream_.avail_in;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    bytes_.remove_prefix(before - stream_.avail_in);
    written_ = room - stream_.avail_out;
    return result;
  }
  void NextMember() { inflateReset(&stream_); }
  size_t written() const { return written_; }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  z_stream stream_ = {};
  size_t written_ = 0;
};

}  // namespace

absl::StatusOr<std::string> UnpackGzip(std::string_view bytes, size_t max_size) {
  constexpr size_t kAtOnce = size_t{1} << 20;
  Inflater inflater(bytes);
  std::string unpacked, part(kAtOnce, '\0');
  while (true) {
    const int result = inflater.Advance(part.data(), part.size());
    const size_t offset = bytes.size() - inflater.left();
    if (result != Z_OK && result != Z_STREAM_END)
      return absl::DataLossError(absl::StrCat(
          result == Z_BUF_ERROR ? "compressed data is cut off at byte " : "compressed data is damaged at byte ",
          offset));
    if (unpacked.size() + inflater.written() > max_size)
      return absl::ResourceExhaustedError(absl::StrCat("unpacks to more than ", max_size, " bytes"));
    unpacked.append(part, 0, inflater.written());
    if (result != Z_STREAM_END) continue;
    if (inflater.left() == 0) return unpacked;
    inflater.NextMember();
  }
}

}  // namespace ddsp
