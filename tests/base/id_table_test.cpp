#include "base/id_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cow {
namespace {

TEST(IdTable, FindsWhatIsThereAndNothingElse) {
  IdTable<int> table;
  std::map<std::uint32_t, int*> model;
  std::vector<std::uint32_t> gone;
  std::vector<int> objects(50);
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    if (model.size() < objects.size() && random() % 2) {
      int& object = objects[random() % objects.size()];
      const std::uint32_t id = table.insert(object);
      ASSERT_TRUE(model.emplace(id, &object).second) << "an id was given out twice at once";
    } else if (!model.empty()) {
      auto victim = std::next(model.begin(), static_cast<long>(random() % model.size()));
      table.erase(victim->first);
      gone.push_back(victim->first);
      model.erase(victim);
    }
    for (const auto& [id, object] : model) {
      ASSERT_EQ(table.find(id), object);
    }
    if (!gone.empty() && !model.count(gone.back())) {
      ASSERT_EQ(table.find(gone.back()), nullptr);
    }
  }
}

TEST(IdTable, AnswersNullToNumbersThatWereMadeUp) {
  IdTable<int> table;
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(UINT32_MAX), nullptr);
  int object = 0;
  const std::uint32_t id = table.insert(object);
  EXPECT_EQ(table.find(id + 1), nullptr);
  EXPECT_EQ(table.find(id + (1u << 24)), nullptr);  // another generation
}

}  // namespace
}  // namespace cow
