#include "load-tests/ramp.h"

#include <algorithm>

namespace ddsp::loadtest {
namespace {

constexpr int kFinest = 16;  // of what holds

}  // namespace

void Ramp::Tell(bool held) {
  (held ? best_ : failed_) = next_;
  if (failed_ == 0) {
    next_ = best_ == limit_ ? 0 : std::min(limit_, 2 * best_);
  } else {
    const int gap = failed_ - best_;
    next_ = gap <= std::max(1, best_ / kFinest) ? 0 : best_ + gap / 2;
  }
}

}  // namespace ddsp::loadtest
