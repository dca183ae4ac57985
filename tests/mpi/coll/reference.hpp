// What the collective tests compare with: every rank computes the contribution of every other by itself, so that the
// expectation never depends on the library under test.
#pragma once

#include <algorithm>
#include <numeric>

#include "support/ranks.hpp"

namespace reference {

// The i-th element that a rank contributes to the call with this key. Small numbers: sums and products stay exact in
// all types.
inline int element(std::uint64_t key, int rank, int i) {
  return 1 + (static_cast<int>(
                  ranks::pattern_byte(key * 131 + static_cast<std::uint64_t>(rank), static_cast<std::size_t>(i))) %
              3);
}

template <class T>
std::vector<T> contribution(std::uint64_t key, int rank, int count) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = static_cast<T>(element(key, rank, i));
  return values;
}

// Random counts for each rank, some of them zero, and places for them that leave gaps and are not in order.
struct Blocks {
  std::vector<int> counts, places;
  int room = 0;

  Blocks(ranks::Random& random, int ranks_count, int largest) {
    counts.resize(static_cast<std::size_t>(ranks_count));
    places.resize(counts.size());
    for (int& count : counts) count = ranks::pick(random, 0, 3) == 0 ? 0 : ranks::pick(random, 1, largest);
    std::vector<std::size_t> order(counts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      room += ranks::pick(random, 0, 2);
      places[i] = room;
      room += counts[i];
    }
    room += 1;
  }

  int count(int rank) const { return counts[static_cast<std::size_t>(rank)]; }
  int place(int rank) const { return places[static_cast<std::size_t>(rank)]; }
};

// Counts that a collective meets in practice: none, few, and enough for every algorithm's next step.
inline int pick_count(ranks::Random& random, int largest) {
  switch (ranks::pick(random, 0, 3)) {
    case 0: return ranks::pick(random, 0, 3);
    case 1: return ranks::pick(random, 4, 100);
    case 2: return std::min(largest, 1 << ranks::pick(random, 0, 15));
    default: return ranks::pick(random, 0, largest);
  }
}

}  // namespace reference
