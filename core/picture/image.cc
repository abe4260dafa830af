#include "core/picture/image.h"

#include <png.h>

#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"

namespace ddsp {
namespace {

// Five rows of three dots each; a row is an octal digit, its highest bit on the left.
struct Glyph {
  char sign;
  const char* rows;
};
constexpr Glyph kFont[] = {
    {'0', "75557"}, {'1', "26227"}, {'2', "71747"}, {'3', "71317"}, {'4', "55711"}, {'5', "74717"}, {'6', "74757"},
    {'7', "71122"}, {'8', "75757"}, {'9', "75717"}, {'A', "25755"}, {'B', "65656"}, {'C', "34443"}, {'D', "65556"},
    {'E', "74647"}, {'F', "74644"}, {'G', "34553"}, {'H', "55755"}, {'I', "72227"}, {'J', "11152"}, {'K', "55655"},
    {'L', "44447"}, {'M', "57755"}, {'N', "65555"}, {'O', "25552"}, {'P', "65644"}, {'Q', "25563"}, {'R', "65655"},
    {'S', "34216"}, {'T', "72222"}, {'U', "55557"}, {'V', "55552"}, {'W', "55775"}, {'X', "55255"}, {'Y', "55222"},
    {'Z', "71247"}, {'.', "00002"}, {'-', "00700"}, {'_', "00007"}, {'/', "11244"}, {':', "02020"}, {',', "00024"},
    {'(', "12221"}, {')', "42224"}, {'+', "02720"}, {'=', "07070"}, {'>', "42124"},
};

const char* RowsOf(char sign) {
  const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(sign)));
  for (const Glyph& glyph : kFont) {
    if (glyph.sign == upper) return glyph.rows;
  }
  return "00000";
}

}  // namespace

Image::Image(int width, int height, Colour background)
    : width_(width), height_(height), pixels_(static_cast<size_t>(width) * height, background) {}

void Image::Set(int x, int y, Colour colour) {
  if (x >= 0 && x < width_ && y >= 0 && y < height_) pixels_[static_cast<size_t>(y) * width_ + x] = colour;
}

void Image::Fill(int x, int y, int width, int height, Colour colour) {
  for (int row = y; row < y + height; ++row) {
    for (int column = x; column < x + width; ++column) Set(column, row, colour);
  }
}

void Image::Write(int x, int y, std::string_view text, int scale, Colour colour) {
  for (char sign : text) {
    const char* rows = RowsOf(sign);
    for (int row = 0; row < 5; ++row) {
      for (int column = 0; column < 3; ++column) {
        if ((rows[row] - '0') >> (2 - column) & 1) Fill(x + column * scale, y + row * scale, scale, scale, colour);
      }
    }
    x += 4 * scale;
  }
}

absl::StatusOr<std::string> Image::FormatPng() const {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = width_;
  png.height = height_;
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, pixels_.data(), 0, nullptr) == 0) {
    return absl::InternalError(absl::StrCat("cannot make a PNG: ", png.message));
  }
  bytes.resize(size);
  return bytes;
}

absl::Status Image::SavePng(const std::string& path) const {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = width_;
  png.height = height_;
  png.format = PNG_FORMAT_RGB;
  static_assert(sizeof(Colour) == 3);
  if (png_image_write_to_file(&png, path.c_str(), 0, pixels_.data(), 0, nullptr) != 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot write ", path, ": ", png.message));
}

}  // namespace ddsp
