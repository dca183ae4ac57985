// Which message meets which receive: MPI's order between exact receives and wildcards, and that contexts do not mix.
#include <algorithm>
#include <cstring>

#include "support/ranks.hpp"

namespace {

constexpr int tags = 4;

// What every message carries in its first bytes.
struct Label {
  int source, number, tag;
};

struct Plan {
  std::vector<std::vector<Label>> messages;  // by source, in the order sent
  std::vector<std::vector<int>> sizes;
};

// What all senders send to rank 0 in one round; all ranks make the same plan.
Plan make_plan(ranks::Random& random, int sources, int largest) {
  Plan plan;
  plan.messages.resize(static_cast<std::size_t>(sources) + 1);
  plan.sizes.resize(plan.messages.size());
  for (int source = 1; source <= sources; ++source) {
    const int n = ranks::pick(random, 0, 20);
    for (int i = 0; i < n; ++i) {
      plan.messages[static_cast<std::size_t>(source)].push_back({source, i, ranks::pick(random, 0, tags - 1)});
      const std::size_t size = ranks::pick_size(random, static_cast<std::size_t>(largest));
      plan.sizes[static_cast<std::size_t>(source)].push_back(static_cast<int>(std::max(size, sizeof(Label))));
    }
  }
  return plan;
}

struct Pattern {
  int source, tag;
  bool fits(const Label& label) const {
    return (source == MPI_ANY_SOURCE || source == label.source) && (tag == MPI_ANY_TAG || tag == label.tag);
  }
};

// Receives for all messages of the plan that can be satisfied in whatever order messages arrive: exact ones first, then
// those with one wildcard, then the rest with two.
std::vector<Pattern> make_patterns(ranks::Random& random, const Plan& plan) {
  std::vector<Pattern> exact, half, open;
  const bool by_tag = ranks::pick(random, 0, 1) == 1;
  for (const auto& list : plan.messages)
    for (const Label& label : list) switch (ranks::pick(random, 0, 2)) {
        case 0: exact.push_back({label.source, label.tag}); break;
        case 1: half.push_back(by_tag ? Pattern{MPI_ANY_SOURCE, label.tag} : Pattern{label.source, MPI_ANY_TAG}); break;
        default: open.push_back({MPI_ANY_SOURCE, MPI_ANY_TAG}); break;
      }
  std::shuffle(exact.begin(), exact.end(), random);
  std::shuffle(half.begin(), half.end(), random);
  exact.insert(exact.end(), half.begin(), half.end());
  exact.insert(exact.end(), open.begin(), open.end());
  return exact;
}

void send_all(const Plan& plan, int me, MPI_Comm comm) {
  const auto& list = plan.messages[static_cast<std::size_t>(me)];
  std::vector<std::vector<unsigned char>> buffers;
  std::vector<MPI_Request> requests(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    buffers.emplace_back(static_cast<std::size_t>(plan.sizes[static_cast<std::size_t>(me)][i]), 0x55);
    memcpy(buffers[i].data(), &list[i], sizeof(Label));
  }
  for (std::size_t i = 0; i < list.size(); ++i)
    MPI_Isend(buffers[i].data(), static_cast<int>(buffers[i].size()), MPI_BYTE, 0, list[i].tag, comm, &requests[i]);
  MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
}

// Of two messages of one sender that both fit the earlier of the two receives they met, the first sent met the earlier.
void check_order(const std::vector<Pattern>& patterns, const std::vector<Label>& got) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(patterns[i].fits(got[i])) << "receive " << i << " got a message that it did not ask for";
    for (std::size_t j = i + 1; j < got.size(); ++j) {
      if (got[i].source != got[j].source || got[j].number > got[i].number) continue;
      EXPECT_FALSE(patterns[i].fits(got[j]))
          << "message " << got[i].number << " of rank " << got[i].source << " overtook message " << got[j].number;
    }
  }
}

void receive_all(const Plan& plan, const std::vector<Pattern>& patterns, int largest, MPI_Comm comm) {
  std::vector<std::vector<unsigned char>> buffers(patterns.size(),
                                                  std::vector<unsigned char>(static_cast<std::size_t>(largest)));
  std::vector<MPI_Request> requests(patterns.size());
  std::vector<MPI_Status> statuses(patterns.size());
  for (std::size_t i = 0; i < patterns.size(); ++i)
    MPI_Irecv(buffers[i].data(), largest, MPI_BYTE, patterns[i].source, patterns[i].tag, comm, &requests[i]);
  MPI_Waitall(static_cast<int>(requests.size()), requests.data(), statuses.data());
  std::vector<Label> got(patterns.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    memcpy(&got[i], buffers[i].data(), sizeof(Label));
    int size = 0;
    MPI_Get_count(&statuses[i], MPI_BYTE, &size);
    EXPECT_EQ(statuses[i].MPI_SOURCE, got[i].source);
    EXPECT_EQ(statuses[i].MPI_TAG, got[i].tag);
    ASSERT_LT(static_cast<std::size_t>(got[i].number), plan.sizes[static_cast<std::size_t>(got[i].source)].size());
    EXPECT_EQ(size, plan.sizes[static_cast<std::size_t>(got[i].source)][static_cast<std::size_t>(got[i].number)]);
  }
  check_order(patterns, got);
}

// Senders and receiver start at the same time: some messages come before their receives and some after.
void exchange_at_random(std::uint64_t salt, int largest) {
  auto random = ranks::shared_random(salt);
  const int me = ranks::rank();
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const Plan plan = make_plan(random, ranks::count() - 1, largest);
    const auto patterns = make_patterns(random, plan);
    if (me == 0)
      receive_all(plan, patterns, largest, MPI_COMM_WORLD);
    else
      send_all(plan, me, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);  // a wildcard of this round must not meet a message of the next
  }
}

TEST(Matching, OrderOfSmallMessages) { exchange_at_random(10, 512); }
TEST(Matching, OrderOfSmallAndLargeMessages) { exchange_at_random(11, 70'000); }

// All messages have arrived before the first receive is posted: the same order from the unexpected ones.
TEST(Matching, OrderOfUnexpectedMessages) {
  NEED_RANKS(2);
  auto random = ranks::shared_random(12);
  for (int round = 0; round < 10; ++round) {
    const Plan plan = make_plan(random, ranks::count() - 1, 256);
    const auto patterns = make_patterns(random, plan);
    if (ranks::rank() != 0) send_all(plan, ranks::rank(), MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    if (ranks::rank() == 0) receive_all(plan, patterns, 256, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

// Same peers, same tags, two communicators, received in the opposite order.
TEST(Matching, CommunicatorsDoNotMix) {
  NEED_RANKS(2);
  MPI_Comm other;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &other));
  constexpr int n = 50;
  if (ranks::rank() == 0) {
    for (int i = 0; i < n; ++i) {
      const int a = i, b = 1'000 + i;
      ASSERT_MPI_OK(MPI_Send(&a, 1, MPI_INT, 1, 3, MPI_COMM_WORLD));
      ASSERT_MPI_OK(MPI_Send(&b, 1, MPI_INT, 1, 3, other));
    }
  } else if (ranks::rank() == 1) {
    for (int base : {1'000, 0})
      for (int i = 0; i < n; ++i) {
        int got = -1;
        ASSERT_MPI_OK(
            MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, base ? other : MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        EXPECT_EQ(got, base + i);
      }
  }
  ASSERT_MPI_OK(MPI_Comm_free(&other));
}

// Many receives with different tags are posted; the messages come in the opposite order.
TEST(Matching, TagsSelectAmongManyReceives) {
  NEED_RANKS(2);
  constexpr int n = 2'000;
  if (ranks::rank() == 1) {
    std::vector<int> got(n, -1);
    std::vector<MPI_Request> requests(n);
    for (int i = 0; i < n; ++i) MPI_Irecv(&got.at(i), 1, MPI_INT, 0, i, MPI_COMM_WORLD, &requests.at(i));
    MPI_Send(nullptr, 0, MPI_INT, 0, 0, MPI_COMM_WORLD);
    MPI_Waitall(n, requests.data(), MPI_STATUSES_IGNORE);
    for (int i = 0; i < n; ++i) ASSERT_EQ(got.at(i), i);
  } else if (ranks::rank() == 0) {
    MPI_Recv(nullptr, 0, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int i = n - 1; i >= 0; --i) MPI_Send(&i, 1, MPI_INT, 1, i, MPI_COMM_WORLD);
  }
}

TEST(Matching, LargestTagWorks) {
  int* largest = nullptr;
  int flag = 0;
  ASSERT_MPI_OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &largest, &flag));
  ASSERT_TRUE(flag);
  const int out = 42, me = ranks::rank();
  int in = 0;
  MPI_Status status;
  ASSERT_MPI_OK(
      MPI_Sendrecv(&out, 1, MPI_INT, me, *largest, &in, 1, MPI_INT, me, MPI_ANY_TAG, MPI_COMM_WORLD, &status));
  EXPECT_EQ(status.MPI_TAG, *largest);
  EXPECT_EQ(in, 42);
}

}  // namespace
