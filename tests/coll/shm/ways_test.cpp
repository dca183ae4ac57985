// Every way on shared memory on an imagined node, of all sizes and roots, short and in several pieces: each rank must end with
// exactly the right contributions, and read nothing that was not published, or may be written again.
#include <gtest/gtest.h>

#include <random>

#include "coll/examine/machine.hpp"
#include "coll/examine/setting.hpp"
#include "coll/shm/all.hpp"
#include "coll/shm/recorder.hpp"
#include "objects/topology.hpp"

namespace cow::coll {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int most_ranks = 5;
#else
constexpr int most_ranks = 9;
#endif

bool has_root(Collective c) {
  return c == Collective::bcast || c == Collective::reduce || c == Collective::gather || c == Collective::scatter ||
         c == Collective::gatherv || c == Collective::scatterv;
}
bool can_be_in_place(Collective c) {
  return c != Collective::barrier && c != Collective::bcast && c != Collective::alltoall && c != Collective::alltoallv;
}
bool is_scan(Collective c) { return c == Collective::scan || c == Collective::exscan; }

// What each rank publishes of blocks of any length, and whether that is whole.
Count length_of(Collective c, Count count, int from, int to) {
  return uneven_block(c == Collective::alltoallv ? from + to : c == Collective::scatterv ? to : from, count);
}
bool is_whole(Collective c, Count count, int size, int rank, Count most) {
  if (c == Collective::gatherv) return length_of(c, count, rank, 0) <= most;
  Count bytes = static_cast<Count>(sizeof(Count)) * size;
  for (int to = 0; to < size; ++to)
    if (to != rank) bytes += length_of(c, count, rank, to);
  return bytes <= most;
}

// The same of neighbours: a rank publishes its blocks for others, and what stands before them.
struct NeighbourTables {
  explicit NeighbourTables(const Case& c)
      : same(c.algorithm->collective == Collective::neighbor_allgather), settings(make_settings(c)) {}
  bool same;
  std::vector<RankSetting> settings;
  const Neighbours& of(int rank) const { return *settings[static_cast<std::size_t>(rank)].neighbours; }
  Count bytes(int rank, int j) const {
    return of(rank).destinations[static_cast<std::size_t>(j)] == rank
               ? 0
               : settings[static_cast<std::size_t>(rank)].send_counts[static_cast<std::size_t>(j)];
  }
  Count table(int rank, int i) const {
    if (i == 0) return of(rank).outdegree();
    if (i % 2 == 0) return bytes(rank, i / 2 - 1);
    const int to = of(rank).destinations[static_cast<std::size_t>(i / 2)];
    return to == rank ? 0 : to + 1;
  }
  bool is_whole(int rank, Count most) const {
    if (same) return settings[static_cast<std::size_t>(rank)].args.count <= most;
    Count all = static_cast<Count>(sizeof(Count)) * (1 + 2 * of(rank).outdegree());
    for (int j = 0; j < of(rank).outdegree(); ++j) all += bytes(rank, j);
    return all <= most;
  }
};
bool is_of_neighbours(Collective c) {
  return c == Collective::neighbor_allgather || c == Collective::neighbor_alltoall;
}

// Pieces of 24 bytes, combined 5 at a time, on places that begin anywhere.
shm::Terms terms_for(Collective c, int size, Count count, std::mt19937& random) {
  shm::Terms terms;
  terms.piece = 24, terms.line = 1, terms.chunk = 5;
  terms.most = static_cast<Count>(sizeof(Count)) * size + 11;
  if (c == Collective::gatherv) terms.most = 5;
  const Count most = terms.most;
  if (is_scan(c)) {
    // Those that find the rank below complete before they publish; all others see that at once.
    std::vector<bool> in_turn;
    for (int r = 0; r < size; ++r) in_turn.push_back(random() % 2 == 0);
    terms.is_complete = [&random, in_turn](int reader, int rank, bool published) {
      if (!published) return in_turn[static_cast<std::size_t>(reader)];
      return in_turn[static_cast<std::size_t>(rank)] || random() % 2 == 0;
    };
  } else {
    terms.is_complete = [=](int, int rank, bool) { return is_whole(c, count, size, rank, most); };
  }
  terms.length = [=](int from, int to) { return from == to ? 0 : length_of(c, count, from, to); };
  return terms;
}

void check(const Case& c) {
  const Outcome outcome = examine(c);
  EXPECT_EQ(outcome.wrong, "") << name_of(c.algorithm->collective) << ' ' << c.algorithm->name << ", " << c.size
                               << " ranks, count " << c.count << ", root " << c.root << (c.in_place ? ", in place" : "")
                               << (c.commutative ? "" : ", not commutative")
                               << (c.memory->fixed_order ? ", fixed order" : "")
                               << (c.memory->large_ring ? "" : ", without large rings");
}

class Ways : public testing::TestWithParam<const Algorithm*> {};

TEST_P(Ways, EveryRankEndsWithTheRightContributions) {
  const Algorithm& way = *GetParam();
  std::mt19937 random(5);
  for (int p = 1; p <= most_ranks; ++p)
    for (const int root : {0, 1, 2, 3, 4, 5, 6, 7, 8})
      for (const Count count : {1, 3, 11, 24, 25, 61, 130})
        for (int form = 0; form < (is_of_neighbours(way.collective) ? 1 : 8); ++form) {
          const bool in_place = form & 1, commutative = form & 2, other = form & 4;
          if (root >= (has_root(way.collective) ? p : 1)) continue;
          if ((in_place && !can_be_in_place(way.collective)) || (!commutative && !reduces(way.collective))) continue;
          shm::Terms terms = terms_for(way.collective, p, count, random);
          terms.fixed_order = other && way.fixed_order;
          terms.large_ring = !other;
          if (way.collective == Collective::barrier && count > 1) continue;
          Case c{&way, p, count, root, in_place, commutative, nullptr, nullptr, &terms};
          if (is_of_neighbours(way.collective)) {
            const NeighbourTables tables(c);
            terms.most = way.collective == Collective::neighbor_allgather ? 20 : 8 * 9 + 60;
            const Count most = terms.most;
            terms.is_complete = [=](int, int rank, bool) { return tables.is_whole(rank, most); };
            terms.length = [=](int rank, int i) { return tables.table(rank, i); };
          }
          check(c);
          if (HasFailure()) return;
        }
}

std::vector<const Algorithm*> all() {
  std::vector<const Algorithm*> out;
  for (const Algorithm& a : algorithms())
    if (a.on_memory) out.push_back(&a);
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, Ways, testing::ValuesIn(all()), [](const auto& instance) {
  return std::string(name_of(instance.param->collective)) + "_" + instance.param->name;
});

// ---- the examiner finds what is wrong with ways that are broken on purpose

template <class Text>
std::string wrong_with(Collective collective, int size = 3) {
  const Algorithm way{collective,
                      "broken",
                      [](const Problem&) { return true; },
                      [](Cost&, const Problem&) {},
                      [](Recorder& recorder, const Args& args) {
                        shm::Recorder v(recorder);
                        Text::run(v, args);
                      },
                      true};
  const shm::Terms terms;
  return examine({&way, size, 3, 0, false, true, nullptr, nullptr, &terms}).wrong;
}

struct Right {
  static void run(shm::Recorder& v, const Args& a) { shm::Bcast::run(v, a); }
};
struct ReadsUnawaited {
  static void run(shm::Recorder& v, const Args& a) {
    v.give(a.recv, v.rank() == 0 ? a.count : 0);
    if (v.rank() > 0) v.move(a.recv, v.slot(0), a.count);
  }
};
struct ReadsLate {
  static void run(shm::Recorder& v, const Args& a) {
    v.give(a.recv, v.rank() == 0 ? a.count : 0);
    static_cast<void>(v.await(0, 1));
    v.give(0, 0);
    if (v.rank() > 0) v.move(a.recv, v.last_slot(0, 0), a.count);
  }
};
struct ChangesWhatIsPublished {
  static void run(shm::Recorder& v, const Args& a) {
    v.give(a.recv, v.rank() == 0 ? a.count : 0);
    if (v.rank() == 0) v.move(v.slot(0), a.recv, 1);
  }
};
struct ReadsWhatMayBeIncomplete {
  static void run(shm::Recorder& v, const Args& a) {
    if (v.rank() == 0) {
      const Address place = v.open(a.count);
      v.publish();
      v.move(place, a.recv, a.count);
      v.complete();
    } else if (v.give(0, 0) && v.await(0, 1)) {
      v.move(a.recv, v.slot(0), a.count);
    }
  }
};
struct WaitsForEver {
  static void run(shm::Recorder& v, const Args& a) {
    static_cast<void>(v.open(0));
    static_cast<void>(v.await_all());
    v.publish();
    static_cast<void>(a);
  }
};
struct WritesOutside {
  static void run(shm::Recorder& v, const Args& a) {
    if (v.rank() == 0) v.move(v.open(a.count - 1), a.recv, a.count);
  }
};
struct WritesToAnother {
  static void run(shm::Recorder& v, const Args& a) {
    static_cast<void>(v.open(a.count));
    v.publish();
    if (v.await_all() && v.rank() == 0) v.move(v.slot(1), a.recv, a.count);
  }
};

TEST(ExaminerOfMemory, FindsWhatIsWrong) {
  EXPECT_EQ(wrong_with<Right>(Collective::bcast), "");
  const auto finds = [](const std::string& wrong, const char* what) {
    EXPECT_NE(wrong.find(what), std::string::npos) << wrong;
  };
  finds(wrong_with<ReadsUnawaited>(Collective::bcast), "that it has not awaited");
  finds(wrong_with<ReadsLate>(Collective::bcast), "that may be written again");
  finds(wrong_with<ChangesWhatIsPublished>(Collective::bcast), "changes what is published");
  finds(wrong_with<ReadsWhatMayBeIncomplete>(Collective::bcast), "may not be complete");
  finds(wrong_with<WaitsForEver>(Collective::bcast), "waits for ever");
  finds(wrong_with<WritesOutside>(Collective::bcast), "outside of what is published");
  finds(wrong_with<WritesToAnother>(Collective::bcast), "writes to a slot of rank 1");
}

}  // namespace
}  // namespace cow::coll
