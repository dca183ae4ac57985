#include <gtest/gtest.h>

#include <vector>

#include "objects/handle.hpp"

namespace cow {
namespace {

struct Thing : Object {};

// Tables live as long as the process.
HandleTable<Thing>* new_table() {
  static auto* const all = new std::vector<HandleTable<Thing>*>;
  all->push_back(new HandleTable<Thing>);
  return all->back();
}

TEST(HandleTable, AFreedHandleIsNoLongerFoundEvenWhenItsPlaceIsUsedAgain) {
  auto* table = new_table();
  Thing first, second;
  ASSERT_FALSE(table->insert(first));
  const std::uintptr_t old = first.handle();
  EXPECT_EQ(table->find(old), &first);
  table->erase(first);
  EXPECT_EQ(table->find(old), nullptr);
  ASSERT_FALSE(table->insert(second));
  EXPECT_EQ(static_cast<std::uint32_t>(second.handle()), static_cast<std::uint32_t>(old)) << "the place is used again";
  EXPECT_EQ(table->find(old), nullptr);
  EXPECT_EQ(table->find(second.handle()), &second);
}

TEST(HandleTable, PredefinedObjectsHaveTheNumbersOfTheAbi) {
  auto* table = new_table();
  Thing thing;
  table->insert_predefined(thing, 0x101);
  EXPECT_EQ(thing.handle(), 0x101u);
  EXPECT_EQ(table->find(0x101), &thing);
  EXPECT_EQ(table->from_index(0x101), 0x101u);
  EXPECT_TRUE(thing.predefined());
  EXPECT_EQ(table->find(0x102), nullptr);
}

TEST(HandleTable, NumbersThatWereMadeUpAreNotFound) {
  auto* table = new_table();
  for (std::uintptr_t handle : {std::uintptr_t{0}, std::uintptr_t{1}, std::uintptr_t{4096}, std::uintptr_t{0xffffffff},
                                ~std::uintptr_t{0}, std::uintptr_t{0x7ffe12345678}})
    EXPECT_EQ(table->find(handle), nullptr) << handle;
}

TEST(HandleTable, TheIndexLeadsBackToTheHandle) {
  auto* table = new_table();
  std::vector<std::unique_ptr<Thing>> things;
  for (int i = 0; i < 5000; ++i) {
    things.push_back(std::make_unique<Thing>());
    ASSERT_FALSE(table->insert(*things.back()));
  }
  for (const auto& thing : things) {
    EXPECT_EQ(table->find(thing->handle()), thing.get());
    EXPECT_EQ(table->from_index(thing->index), thing->handle());
    EXPECT_GE(thing->index, HandleTable<Thing>::first_dynamic);
  }
}

}  // namespace
}  // namespace cow
