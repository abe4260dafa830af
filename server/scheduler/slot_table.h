// Which slots of an engine are taken. Thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "core/base/mutex.h"

namespace ddsp::server {

class SlotTable {
 public:
  explicit SlotTable(int slots);

  // The slot that was returned last, or the lowest that was never taken: memory of slots is touched by as many as were
  // ever taken at once. nullopt when all are taken.
  std::optional<int> Take();
  // `slot` was taken.
  void Return(int slot);

  int slots() const { return slots_; }
  int free_slots() const;

 private:
  const int slots_;
  mutable Mutex mu_;
  std::vector<int> free_ ABSL_GUARDED_BY(mu_);  // the next one last
};

}  // namespace ddsp::server
