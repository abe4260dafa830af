// Reads gin files with everything that they include.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/gin/config.h"

namespace ddsp::gin {

// Finds the files that texts include.
class IncludeResolver {
 public:
  struct File {
    std::string name;  // as positions show it; two names of one file must be equal
    std::string text;
  };
  virtual ~IncludeResolver() = default;
  // The file that `path` means in `from` ("" for a text that is no file). Errors: NOT_FOUND.
  virtual absl::StatusOr<File> Open(const std::string& path, const std::string& from) const = 0;
};

// Files on disk. A relative path is looked for beside the including file, then below each directory of `search_paths`.
class DiskFiles : public IncludeResolver {
 public:
  explicit DiskFiles(std::vector<std::string> search_paths = {}) : search_paths_(std::move(search_paths)) {}
  absl::StatusOr<File> Open(const std::string& path, const std::string& from) const override;

 private:
  const std::vector<std::string> search_paths_;
};

// No files: every include is an error. For texts from a network.
class NoFiles : public IncludeResolver {
 public:
  absl::StatusOr<File> Open(const std::string& path, const std::string& from) const override;
};

// Later statements win over earlier ones; an include stands for the statements of its file. Errors: INVALID_ARGUMENT
// with a position: syntax, a file that is not found, files that include each other in a circle.
absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& name = "",
                                   const IncludeResolver& files = NoFiles());
absl::StatusOr<Config> ReadConfig(const std::string& path, const IncludeResolver& files = DiskFiles());

// Applies "scope/Class.parameter=value" and "NAME=value" over a configuration (upstream: --gin_param). Positions name
// the override as "gin_param N".
absl::Status Override(const std::vector<std::string>& bindings, Config* config);

}  // namespace ddsp::gin
