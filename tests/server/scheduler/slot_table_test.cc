#include "server/scheduler/slot_table.h"

#include <gtest/gtest.h>

#include <set>

namespace ddsp::server {
namespace {

TEST(SlotTable, GivesEachSlotOnce) {
  SlotTable table(3);
  std::set<int> slots;
  for (int i = 0; i < 3; ++i) slots.insert(table.Take().value());
  EXPECT_EQ(slots, (std::set<int>{0, 1, 2}));
  EXPECT_EQ(table.Take(), std::nullopt);
}

TEST(SlotTable, GivesTheSlotThatWasFreeLongest) {
  SlotTable table(3);
  table.Return(*table.Take());
  EXPECT_EQ(table.Take(), 1);
  EXPECT_EQ(table.free_slots(), 2);
}

}  // namespace
}  // namespace ddsp::server
