// A line of progress on a terminal; silent where stderr is a file or a pipe.
#pragma once

#include <chrono>
#include <string>

namespace ddsp::client {

class ProgressBar {
 public:
  explicit ProgressBar(std::string title);
  // Leaves the terminal's line clear.
  ~ProgressBar();

  // `done` in [0, 1]. Draws at most ten times a second.
  void Show(double done);

 private:
  const std::string title_;
  const bool on_terminal_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace ddsp::client
