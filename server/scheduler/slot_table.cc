#include "server/scheduler/slot_table.h"

#include "core/base/check.h"

namespace ddsp::server {

SlotTable::SlotTable(int slots) : slots_(slots) {
  for (int slot = slots - 1; slot >= 0; --slot) free_.push_back(slot);
}

std::optional<int> SlotTable::Take() {
  MutexLock lock(&mu_);
  if (free_.empty()) return std::nullopt;
  const int slot = free_.back();
  free_.pop_back();
  return slot;
}

void SlotTable::Return(int slot) {
  MutexLock lock(&mu_);
  DDSP_CHECK(free_.size() < static_cast<size_t>(slots_), "a slot is returned once");
  free_.push_back(slot);
}

int SlotTable::free_slots() const {
  MutexLock lock(&mu_);
  return static_cast<int>(free_.size());
}

}  // namespace ddsp::server
