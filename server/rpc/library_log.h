// What the gRPC library says goes to the server's log: it repeats what strangers send, which must not get to a terminal
// as it is, nor break a log of JSON, nor fill a disk.
//
// There is one at a time; it lives as long as calls do.
#pragma once

#include "core/base/clock.h"
#include "server/logs/log.h"

namespace ddsp::server {

class LibraryLog {
 public:
  // `log` and `clock` outlive it. Errors of the library are warnings here: what it cannot go on with ends its process.
  LibraryLog(Log& log, const Clock& clock);
  // The library writes to stderr again.
  ~LibraryLog();
  LibraryLog(const LibraryLog&) = delete;
  LibraryLog& operator=(const LibraryLog&) = delete;
};

}  // namespace ddsp::server
