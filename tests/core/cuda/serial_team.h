// A team (core/cuda/device_code.h) whose threads take turns.
#pragma once

#include <vector>

namespace ddsp::cuda {

// In which order threads take their turns. Those of a phase run at the same time on a GPU; if the order mattered, they
// would race.
enum class Turns { kForward, kBackward, kTogether };

class SerialTeam {
 public:
  // kForward or kBackward.
  SerialTeam(int threads, Turns turns, float* scratch) : threads_(threads), turns_(turns), scratch_(scratch) {}

  float* scratch() const { return scratch_; }

  template <class T>
  std::vector<T> PerThread() const {
    return std::vector<T>(threads_);
  }

  template <class Body>
  void ForEach(int count, Body body) const {
    for (int i = 0; i < count; ++i) body(turns_ == Turns::kForward ? i : count - 1 - i);
  }

  template <class Term>
  float Sum(int count, Term term) const {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += term(i);
    return static_cast<float>(sum);
  }

 private:
  const int threads_;
  const Turns turns_;
  float* const scratch_;
};

}  // namespace ddsp::cuda
