#include "server/security/watched_files.h"

#include <utility>

namespace ddsp::server {

std::vector<WatchedFiles::Stamp> WatchedFiles::Look() const {
  std::vector<Stamp> stamps;
  for (const std::string& path : paths_) {
    struct stat found = {};
    // A link is followed: secrets of Kubernetes are replaced by moving one.
    stamps.push_back(stat(path.c_str(), &found) == 0
                         ? Stamp{found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec}
                         : Stamp{});
  }
  return stamps;
}

bool WatchedFiles::Changed() {
  std::vector<Stamp> now = Look();
  return std::exchange(seen_, now) != now;
}

}  // namespace ddsp::server
