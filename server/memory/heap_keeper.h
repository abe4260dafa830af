// Gives back to the system what the heap keeps and nobody uses.
//
// When a machine is held up for a moment, the messages of all its streams pile up; once they are sent, the allocator
// keeps their pages for good, between blocks that live on. So would a server that was behind once look as if it leaked.
#pragma once

#include "absl/time/time.h"

namespace ddsp::server {

class HeapKeeper {
 public:
  explicit HeapKeeper(absl::Duration interval) : interval_(interval) {}

  // Trims the heap when `interval` has passed since the last time. Takes milliseconds, for which threads that allocate
  // from the same arena wait.
  void CheckAt(absl::Time now);

 private:
  const absl::Duration interval_;
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace ddsp::server
