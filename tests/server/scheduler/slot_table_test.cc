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

// A slot's memory is touched when it is first taken.
TEST(SlotTable, TakesNoMoreSlotsThanAreTakenAtOnce) {
  SlotTable table(64);
  std::set<int> slots;
  for (int i = 0; i < 100; ++i) {
    const int one = *table.Take(), two = *table.Take();
    slots.insert({one, two});
    table.Return(one);
    table.Return(two);
  }
  EXPECT_EQ(slots, (std::set<int>{0, 1}));
  EXPECT_EQ(table.free_slots(), 64);
}

}  // namespace
}  // namespace ddsp::server
