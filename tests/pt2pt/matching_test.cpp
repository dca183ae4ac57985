// Matching against a model that searches lists from the front, as the standard puts it.
#include "pt2pt/matching.hpp"

#include <gtest/gtest.h>

#include <list>
#include <random>

namespace cow::pt2pt {
namespace {

struct Posted : PostedNode<Posted> {};
struct Arrived : UnexpectedNode<Arrived> {};

bool matches(const MatchKey& receive, const MatchKey& message) {
  return receive.context == message.context && (receive.source == MPI_ANY_SOURCE || receive.source == message.source) &&
         (receive.tag == MPI_ANY_TAG || receive.tag == message.tag);
}

MatchKey random_key(std::mt19937& random, int variety, bool wildcards) {
  MatchKey key{random() % 3 * 2, static_cast<int>(random() % static_cast<unsigned>(variety)),
               static_cast<int>(random() % static_cast<unsigned>(variety))};
  if (wildcards && random() % 4 == 0) key.source = MPI_ANY_SOURCE;
  if (wildcards && random() % 4 == 0) key.tag = MPI_ANY_TAG;
  return key;
}

class Matching : public testing::TestWithParam<int> {};

TEST_P(Matching, AMessageTakesTheOldestReceiveThatMatches) {
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  const int variety = 1 + GetParam() * 3;
  PostedTable<Posted> table;
  std::list<Posted> owned;
  std::list<Posted*> model;
  for (int round = 0; round < 20'000; ++round) {
    const unsigned action = random() % 10;
    if (action < 5) {
      owned.emplace_back().key = random_key(random, variety, true);
      table.insert(owned.back());
      model.push_back(&owned.back());
    } else if (action < 9) {
      const MatchKey key = random_key(random, variety, false);
      const auto expected = std::find_if(model.begin(), model.end(), [&](Posted* p) { return matches(p->key, key); });
      Posted* found = table.take(key);
      ASSERT_EQ(found, expected == model.end() ? nullptr : *expected) << "round " << round;
      if (found) model.erase(expected);
    } else if (!model.empty()) {  // a cancelled receive
      const auto victim = std::next(model.begin(), static_cast<long>(random() % model.size()));
      table.remove(**victim);
      model.erase(victim);
    }
  }
}

TEST_P(Matching, AReceiveFindsTheOldestMessageThatMatches) {
  std::mt19937 random(static_cast<unsigned>(GetParam()) + 100);
  const int variety = 1 + GetParam() * 3;
  UnexpectedTable<Arrived> table;
  std::list<Arrived> owned;
  std::list<Arrived*> model;
  for (int round = 0; round < 20'000; ++round) {
    if (random() % 2) {
      owned.emplace_back().key = random_key(random, variety, false);
      table.insert(owned.back());
      model.push_back(&owned.back());
    } else {
      // Wildcards of a kind come into use only after a while, when messages are waiting already.
      const MatchKey key = random_key(random, variety, round > 500);
      const auto expected = std::find_if(model.begin(), model.end(), [&](Arrived* m) { return matches(key, m->key); });
      Arrived* found = table.find(key);
      ASSERT_EQ(found, expected == model.end() ? nullptr : *expected) << "round " << round;
      if (found && random() % 3) {  // a probe leaves it
        table.remove(*found);
        model.erase(expected);
      }
    }
    ASSERT_EQ(table.size(), model.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Varieties, Matching, testing::Range(0, 8));

TEST(MatchKey, HashSpreadsNeighbouringKeys) {
  // Ten thousand receives that do not match must not be in the way of the one that does: all keys of a 100 x 100 grid
  // are found, and taken in the end.
  PostedTable<Posted> table;
  std::vector<Posted> posted(10'000);
  for (int i = 0; i < 10'000; ++i) {
    posted[static_cast<std::size_t>(i)].key = {2, i / 100, i % 100};
    table.insert(posted[static_cast<std::size_t>(i)]);
  }
  for (int i = 9'999; i >= 0; --i) ASSERT_EQ(table.take({2, i / 100, i % 100}), &posted[static_cast<std::size_t>(i)]);
  EXPECT_EQ(table.take({2, 0, 0}), nullptr);
}

}  // namespace
}  // namespace cow::pt2pt
