// Which numbers of streams to try in order to find the highest one that holds. Pure.
#pragma once

namespace ddsp::loadtest {

// Doubles until a level fails, then halves the gap until it is a sixteenth of what holds.
class Ramp {
 public:
  // 1 <= first <= limit.
  Ramp(int first, int limit) : limit_(limit), next_(first) {}

  // The level to try; 0 when there is nothing left to find out.
  int next() const { return next_; }
  // Tells how next() went.
  void Tell(bool held);
  // The highest level that held; 0: none.
  int best() const { return best_; }

 private:
  const int limit_;
  int next_;
  int best_ = 0, failed_ = 0;
};

}  // namespace ddsp::loadtest
