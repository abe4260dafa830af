// Whether files are others than they were: by what the system says about them, so that looking is cheap.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

namespace ddsp::server {

class WatchedFiles {
 public:
  // As they are now.
  explicit WatchedFiles(std::vector<std::string> paths) : paths_(std::move(paths)), seen_(Look()) {}

  // Whether one of them has been replaced, written, removed or made since this was asked last.
  bool Changed();

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t file = 0;
    off_t size = -1;  // there is none
    int64_t seconds = 0, nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  std::vector<Stamp> Look() const;

  const std::vector<std::string> paths_;
  std::vector<Stamp> seen_;
};

}  // namespace ddsp::server
