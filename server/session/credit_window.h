// Credit for one direction, as its receiver keeps it: how much the sender may still send.
//
// Grants are held back while the sender has more than half the window left, so a live stream costs one grant per half
// window. A sender with messages of at most half the window never waits for ever: what the receiver has used up comes
// back as soon as less than half is left.
#pragma once

#include <cstdint>

namespace ddsp::server {

class CreditWindow {
 public:
  explicit CreditWindow(int64_t window) : window_(window), left_(window) {}

  int64_t window() const { return window_; }
  int64_t left() const { return left_; }

  // Takes what a message needs; false (and nothing taken) when that much is not left.
  bool Take(int64_t amount) {
    if (amount > left_) return false;
    left_ -= amount;
    return true;
  }

  // The receiver has used up `total` since the beginning. Returns a grant to send now, or 0.
  int64_t Used(int64_t total) {
    const int64_t owed = total - granted_;
    if (owed <= 0 || left_ > window_ / 2) return 0;
    granted_ += owed;
    left_ += owed;
    return owed;
  }

 private:
  const int64_t window_;
  int64_t left_;
  int64_t granted_ = 0;
};

}  // namespace ddsp::server
