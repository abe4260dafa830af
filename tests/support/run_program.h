// Runs a program and keeps what it said.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace ddsp::testing {

struct ProgramResult {
  int exit_code = -1;
  std::string said;  // stdout and stderr together
};

// `command` goes through the shell.
inline ProgramResult RunProgram(const std::string& command) {
  ProgramResult result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char part[4096];
  for (size_t size; (size = fread(part, 1, sizeof part, pipe)) > 0;) result.said.append(part, size);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace ddsp::testing
