// The rules of the board, between threads: each is a rank with a view of its own on the same memory. Random rounds of all
// the patterns in which collectives use it; whoever reads must find what was given in that very round.
#include "coll/shm/slots.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace cow::coll::shm {
namespace {

struct Free {
  void operator()(void* memory) const { free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

Memory make_memory(int ranks) {
  constexpr std::size_t page = 4096;
  const std::size_t bytes = (Slots::bytes_with_large_rings(ranks) + page - 1) / page * page;
  Memory memory(aligned_alloc(page, bytes));
  memset(memory.get(), 0, bytes);
  return memory;
}

std::byte letter(Slots::Number round, int rank, std::size_t i) {
  return static_cast<std::byte>(round * 131 + static_cast<unsigned>(rank) * 17 + i * 7);
}

enum class Pattern { all_to_all, from_root, to_root, from_below };

struct Round {
  Pattern pattern;
  int root;
  std::size_t bytes;
  bool gives(int rank) const { return pattern == Pattern::from_root ? rank == root : true; }
  int first() const { return pattern == Pattern::from_root ? root : 0; }
  int end(int rank, int size) const {
    if (pattern == Pattern::from_root) return rank == root ? root : root + 1;
    if (pattern == Pattern::to_root) return rank == root ? size : 0;
    return pattern == Pattern::from_below ? rank : size;
  }
};

Round random_round(std::mt19937& random, int size, bool halls) {
  const std::size_t sizes[] = {0,
                               1,
                               8,
                               Slots::inline_bytes,
                               Slots::inline_bytes + 1,
                               Slots::small_bytes,
                               Slots::small_bytes + 1,
                               9000,
                               Slots::buffer_bytes,
                               Slots::buffer_bytes + 1,
                               100'000};
  // Long bytes are rare: what is tested is the order of things.
  const std::size_t kinds = random() % 16 == 0 ? std::size(sizes) - (halls ? 0 : 2) : 5;
  return {static_cast<Pattern>(random() % 4), static_cast<int>(random() % static_cast<unsigned>(size)),
          sizes[random() % kinds]};
}

class Rank {
 public:
  Rank(void* memory, int rank, int size, bool halls) : board_(static_cast<std::byte*>(memory), rank, size) {
    if (halls) board_.use_large_ring();
  }

  // Returns how many bytes were not what they should be.
  int go_through(const Round& round) {
    const int me = board_.rank(), size = board_.size();
    board_.begin(round.gives(me) ? round.bytes : 0, static_cast<std::uint8_t>(round.pattern));
    while (!board_.may_write()) std::this_thread::yield();
    std::byte* const place = board_.place();
    for (std::size_t i = 0; round.gives(me) && i < round.bytes; ++i) place[i] = letter(board_.number(), me, i);
    board_.publish();
    int from = round.first();
    const int first = from, end = round.end(me, size);
    while (!board_.have_published(from, end, board_.number())) std::this_thread::yield();
    if (end - first == size) board_.all_have_come();
    int wrong = 0;
    for (int r = first; r < end; ++r) wrong += look_at(r, round);
    return wrong;
  }

 private:
  int look_at(int r, const Round& round) const {
    const Slots::Number number = board_.number();
    int wrong = board_.kind(r) != static_cast<std::uint8_t>(round.pattern) || board_.bytes_of(r, number) != round.bytes;
    const std::byte* const given = board_.data(r, number);
    for (std::size_t i = 0; i < round.bytes; ++i) wrong += given[i] != letter(number, r, i);
    return wrong;
  }

  Slots board_;
};

TEST(Slots, EveryRoundBringsWhatWasGivenInIt) {
  constexpr int rounds = 3000;
  for (const int size : {2, 3, 5}) {
    const Memory memory = make_memory(size);
    std::vector<int> wrong(static_cast<std::size_t>(size));
    std::vector<std::thread> threads;
    for (int r = 0; r < size; ++r)
      threads.emplace_back([&, r] {
        std::mt19937 random(7), own(static_cast<unsigned>(r));
        const bool halls = size > 2;
        Rank rank(memory.get(), r, size, halls);
        int& count = wrong[static_cast<std::size_t>(r)];
        for (int i = 0; i < rounds; ++i) {
          if (own() % 64 == 0) std::this_thread::yield();
          count += rank.go_through(random_round(random, size, halls));
        }
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, std::vector<int>(static_cast<std::size_t>(size), 0)) << size << " ranks";
  }
}

// Each gives a number and adds the sum of all up to itself as soon as it can, from the nearest sum that is there. The last
// is the slowest, so that the others are ahead by all the per_rank there are.
TEST(Slots, WhatIsAddedLaterIsSeenWhole) {
  constexpr int rounds = 1000, size = 4;
  const Memory memory = make_memory(size);
  std::vector<int> wrong(size);
  std::vector<std::thread> threads;
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      Slots board(static_cast<std::byte*>(memory.get()), r, size);
      const auto number_at = [](const std::byte* place) {
        int number;
        std::memcpy(&number, place, sizeof number);
        return number;
      };
      for (int i = 0; i < rounds; ++i) {
        const std::size_t half = i % 7 == 0 ? 100 : 8;
        if (r == size - 1 && i % 100 == 0) std::this_thread::yield();
        board.begin(2 * half);
        while (!board.may_write()) std::this_thread::yield();
        std::byte* const place = board.place();
        int sum = i * r;
        std::memcpy(place, &sum, sizeof sum);
        if (r == 0) std::memcpy(place + half, &sum, sizeof sum);
        board.publish(r == 0);
        int from = 0;
        while (!board.have_published(from, r, board.number())) std::this_thread::yield();
        for (int below = r - 1; below >= 0; --below) {
          const std::byte* const given = board.data(below, board.number());
          const bool whole = board.is_complete(below, board.number());
          sum += number_at(whole ? given + half : given);
          if (whole) break;
        }
        wrong[static_cast<std::size_t>(r)] += sum != i * r * (r + 1) / 2;
        for (int k = 0; k < 3 && i % 50 == r; ++k) std::this_thread::yield();  // others find it half done
        if (r == 0) continue;                                                  // it was whole at once
        std::memcpy(place + half, &sum, sizeof sum);
        board.complete();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(size, 0));
}

// SmallRing are used up by what is given, not by rounds.
TEST(Slots, WhoGivesSeldomFindsRoom) {
  const Memory memory = make_memory(2);
  Slots giver(static_cast<std::byte*>(memory.get()), 0, 2), taker(static_cast<std::byte*>(memory.get()), 1, 2);
  taker.begin(0);
  taker.publish();
  const std::size_t most[] = {Slots::inline_bytes + 1, 1000, Slots::small_bytes};
  for (Slots::Number i = 0; i < Slots::per_rank; ++i) {
    giver.begin(i % 64 == 5 ? most[i / 64 % 3] : 0);
    ASSERT_TRUE(giver.may_write()) << i;
    giver.publish();
  }
}

// Runs of all lengths: what is taken lies in the ring, does not go around its end and does not meet what is still in use.
template <class SmallRing>
void take_in_turn() {
  std::mt19937 random(3);
  auto ring = std::make_unique<SmallRing>();
  struct Run {
    typename SmallRing::Number round;
    std::uint32_t first, end;
  };
  std::vector<Run> used;
  for (typename SmallRing::Number round = UINT32_MAX - 2000; round != 3000; ++round) {
    const std::size_t bytes = 1 + random() % (random() % 4 == 0 ? SmallRing::most : SmallRing::most / 20);
    while (!ring->fit(bytes)) {
      ASSERT_FALSE(used.empty());
      const typename SmallRing::Number one = ring->blocked_by(bytes), half = ring->blocked_half_by(bytes);
      ASSERT_LE(static_cast<std::int32_t>(one - half), 0);
      ASSERT_LT(static_cast<std::int32_t>(half - (round - 1)), 0) << "the last one cannot be in the way";
      const typename SmallRing::Number left = random() % 2 ? one : half;
      ring->release_until(left + 1);
      std::erase_if(used, [&](const Run& run) { return static_cast<std::int32_t>(run.round - left) <= 0; });
      ASSERT_TRUE(ring->fit(bytes));
    }
    const std::uint32_t first = ring->next(bytes), end = first + static_cast<std::uint32_t>(bytes);
    ASSERT_LE(end, SmallRing::bytes);
    for (const Run& run : used) ASSERT_TRUE(end <= run.first || run.end <= first) << round;
    ring->take(bytes, round);
    used.push_back({round, first, end});
  }
}

TEST(SmallRing, AreTakenInTurn) {
  take_in_turn<SmallRing>();
  take_in_turn<LargeRing>();
}

// One thread plays both ranks, so that who is ahead of whom is known.
TEST(Slots, AGiverIsAheadByAsManyRoundsAsThereArePlaces) {
  for (const auto& [bytes, places] :
       {std::pair{Slots::inline_bytes, Slots::per_rank}, std::pair{Slots::small_bytes, 4U},
        std::pair{Slots::buffer_bytes, Slots::buffers}, std::pair{Slots::large_bytes, 4U}}) {
    const Memory memory = make_memory(2);
    Slots giver(static_cast<std::byte*>(memory.get()), 0, 2), taker(static_cast<std::byte*>(memory.get()), 1, 2);
    for (Slots* board : {&giver, &taker})
      if (bytes == Slots::large_bytes) board->use_large_ring();
    taker.begin(0);
    ASSERT_TRUE(taker.may_write());
    taker.publish();  // and reads what is given in the first round
    for (Slots::Number i = 0; i < places; ++i) {
      giver.begin(bytes);
      ASSERT_TRUE(giver.may_write()) << i;
      giver.publish();
    }
    giver.begin(bytes);
    EXPECT_FALSE(giver.may_write());
    taker.begin(0);
    taker.publish();  // it has left the first round
    EXPECT_TRUE(giver.may_write());
  }
}

// One thread on one processor: whoever is behind needs it. (Unless the kernel moves the thread, which is tried again then.)
TEST(Slots, WhoIsBehindOnThisProcessorNeedsIt) {
  for (int i = 0; i < 100; ++i) {
    const int before = sched_getcpu();
    const Memory memory = make_memory(3);
    auto* const bytes = static_cast<std::byte*>(memory.get());
    Slots board(bytes, 0, 3), behind(bytes, 1, 3), silent(bytes, 2, 3);
    behind.begin(0);
    behind.publish();
    for (int round = 0; round < 2; ++round) {
      board.begin(0);
      board.publish();
    }
    const bool needed = board.is_needed_here(2), needed_for_first = board.is_needed_here(1);
    behind.begin(0);
    behind.publish();
    const bool needed_at_last = board.is_needed_here(2);
    if (sched_getcpu() != before) continue;
    EXPECT_TRUE(needed);
    EXPECT_FALSE(needed_for_first);
    EXPECT_FALSE(needed_at_last);  // the third was never seen anywhere
    return;
  }
}

TEST(Slots, WhoEntersLastFulfilsWhatASleeperWants) {
  const Memory memory = make_memory(3);
  auto* const bytes = static_cast<std::byte*>(memory.get());
  Slots sleeper(bytes, 0, 3), second(bytes, 1, 3), third(bytes, 2, 3);
  for (Slots* board : {&sleeper, &second, &third}) board->begin(0);
  sleeper.publish();
  sleeper.want({sleeper.number(), 0, 3});
  second.publish();
  EXPECT_FALSE(second.has_fulfilled(second.wanted_by(0)));  // the third is missing
  third.publish();
  EXPECT_TRUE(third.has_fulfilled(third.wanted_by(0)));
  sleeper.want({sleeper.number(), 0, 2});
  EXPECT_FALSE(third.has_fulfilled(third.wanted_by(0)));  // it is not the third that is waited for
  EXPECT_TRUE(second.has_fulfilled(second.wanted_by(0)));
  sleeper.want({});
  EXPECT_FALSE(second.has_fulfilled(second.wanted_by(0)));
}

// The numbers go around.
TEST(Slots, NumbersAreComparedAsTheyGoAround) {
  const Memory memory = make_memory(2);
  auto* const bytes = static_cast<std::byte*>(memory.get());
  Slots a(bytes, 0, 2, UINT32_MAX - 50), b(bytes, 1, 2, UINT32_MAX - 50);
  for (int i = 0; i < 100; ++i) {
    a.begin(8);
    ASSERT_TRUE(a.may_write()) << i;
    a.publish();
    b.begin(8);
    ASSERT_TRUE(b.may_write()) << i;
    EXPECT_FALSE(a.has_published(1, a.number())) << i;
    b.publish();
    EXPECT_TRUE(a.has_published(1, a.number())) << i;
  }
}

// Ranks that are as far apart as they can be come to it between the same two rounds.
TEST(Slots, HallsThatOneRankWishesForAreDueForAllAtOnce) {
  const Memory memory = make_memory(2);
  auto* const bytes = static_cast<std::byte*>(memory.get());
  Slots first(bytes, 0, 2), second(bytes, 1, 2);
  const auto advance = [](Slots& board) {
    board.begin(0);
    if (!board.may_write()) return false;
    board.place();
    board.publish();
    return true;
  };
  Slots::Number due = 0;
  for (int turn = 0; turn < 8; ++turn) {
    for (int i = 0; i < 250; ++i) {
      ASSERT_TRUE(advance(first));
      if (first.large_ring_is_due() && due == 0) due = first.number();
      if (first.number() == 300) second.request_large_ring();  // who is in round 250
    }
    for (int i = 0; i < 250; ++i) {
      ASSERT_TRUE(advance(second));
      EXPECT_EQ(second.large_ring_is_due(), due != 0 && second.number() >= due) << second.number();
    }
  }
  EXPECT_GE(due, 250 + 2 * Slots::per_rank);
  EXPECT_LE(due, 251 + 2 * Slots::per_rank);
}

}  // namespace
}  // namespace cow::coll::shm
