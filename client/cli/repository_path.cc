#include "client/cli/repository_path.h"

#include <filesystem>
#include <system_error>

namespace ddsp::client {

std::string DefaultRepository() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::is_directory("models", ignored)) return "models";
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const char* up : {"../../../models", "../models", "../share/ddsp/models"}) {
    const fs::path candidate = folder / up;
    if (fs::is_directory(candidate, ignored)) return candidate.lexically_normal();
  }
  return "models";
}

}  // namespace ddsp::client
