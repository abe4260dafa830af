#include "server/memory/heap_keeper.h"

#include <malloc.h>

namespace ddsp::server {

void HeapKeeper::CheckAt(absl::Time now) {
  if (now < next_) return;
  if (next_ != absl::InfinitePast()) malloc_trim(0);
  next_ = now + interval_;
}

}  // namespace ddsp::server
