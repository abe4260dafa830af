// A job's progress as it moves: one line drawn over and over on a terminal, a line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "ddsp/v1/jobs.pb.h"

namespace ddsp::client {

class JobDisplay {
 public:
  // `out` stays open. Where it is no terminal, lines about progress come at most each `interval`; whatever else changes
  // is told at once.
  JobDisplay(std::FILE* out, std::chrono::milliseconds interval);
  // Leaves the last line standing.
  ~JobDisplay();

  void Show(const v1::Job& job);
  // The server is not there, and is being looked for.
  void ShowTrouble();
  // A line of its own.
  void Say(const std::string& line);

 private:
  void Draw(const std::string& line);

  std::FILE* const out_;
  const bool on_terminal_;
  const std::chrono::milliseconds interval_;
  std::string drawn_;                   // the line that stands on the terminal
  std::string last_state_, last_line_;  // that were told
  std::chrono::steady_clock::time_point told_;
  bool in_trouble_ = false;
};

}  // namespace ddsp::client
