// Which slots of an engine are taken. Thread-safe.
#pragma once

#include <deque>
#include <optional>

#include "core/base/mutex.h"

namespace ddsp::server {

class SlotTable {
 public:
  explicit SlotTable(int slots);

  // The slot that has been free longest; nullopt when all are taken.
  std::optional<int> Take();
  // `slot` was taken.
  void Return(int slot);

  int slots() const { return slots_; }
  int free_slots() const;

 private:
  const int slots_;
  mutable Mutex mu_;
  std::deque<int> free_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server
