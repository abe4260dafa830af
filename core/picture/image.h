// A picture in memory: rectangles, small text, PNG.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddsp {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
};

class Image {
 public:
  Image(int width, int height, Colour background);

  int width() const { return width_; }
  int height() const { return height_; }

  // What lies outside the picture is cut off.
  void Set(int x, int y, Colour colour);
  void Fill(int x, int y, int width, int height, Colour colour);
  // Capitals, digits and a few signs, three by five dots of `scale` pixels; x, y is the upper left corner.
  void Write(int x, int y, std::string_view text, int scale, Colour colour);
  static int TextWidth(std::string_view text, int scale) { return static_cast<int>(text.size()) * 4 * scale; }

  // The bytes of a PNG file. Errors: INTERNAL, with what libpng says.
  absl::StatusOr<std::string> FormatPng() const;
  // Errors: INTERNAL, with the path and what libpng says.
  absl::Status SavePng(const std::string& path) const;

 private:
  const int width_, height_;
  std::vector<Colour> pixels_;  // row by row
};

}  // namespace ddsp
