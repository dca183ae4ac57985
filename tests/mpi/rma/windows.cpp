// Windows: every way to make one, every way to synchronise, and accesses against a replay in local memory.
#include <algorithm>
#include <numeric>
#include <vector>

#include "support/ranks.hpp"

namespace {

int me() { return ranks::rank(); }
int n() { return ranks::count(); }

enum class Made { create, allocate, dynamic };

// A window of `count` ints at each rank, of a flavour.
class Ints {
 public:
  Ints(Made made, int count) : made_(made), own_(static_cast<std::size_t>(count)) {
    const auto bytes = static_cast<MPI_Aint>(own_.size() * sizeof(int));
    memory = own_.data();
    if (made == Made::create) {
      EXPECT_MPI_OK(MPI_Win_create(memory, bytes, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &win));
    } else if (made == Made::allocate) {
      EXPECT_MPI_OK(MPI_Win_allocate(bytes, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &win));
    } else {
      EXPECT_MPI_OK(MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_WORLD, &win));
      EXPECT_MPI_OK(MPI_Win_attach(win, memory, bytes));
    }
    MPI_Aint address = 0;
    if (made == Made::dynamic) {
      EXPECT_MPI_OK(MPI_Get_address(memory, &address));
    }
    bases_.resize(static_cast<std::size_t>(n()));
    EXPECT_MPI_OK(MPI_Allgather(&address, 1, MPI_AINT, bases_.data(), 1, MPI_AINT, MPI_COMM_WORLD));
    std::fill(memory, memory + count, 0);
    EXPECT_MPI_OK(MPI_Win_set_errhandler(win, MPI_ERRORS_RETURN));
    EXPECT_MPI_OK(MPI_Barrier(MPI_COMM_WORLD));
  }
  ~Ints() {
    EXPECT_MPI_OK(MPI_Win_free(&win));
    EXPECT_EQ(win, MPI_WIN_NULL);
  }
  MPI_Aint at(int rank, int index) const {
    return made_ == Made::dynamic ? bases_[static_cast<std::size_t>(rank)] + index * static_cast<MPI_Aint>(sizeof(int))
                                  : index;
  }

  MPI_Win win = MPI_WIN_NULL;
  int* memory = nullptr;

 private:
  Made made_;
  std::vector<int> own_;
  std::vector<MPI_Aint> bases_;
};

class Windows : public testing::TestWithParam<Made> {};
INSTANTIATE_TEST_SUITE_P(Flavours, Windows, testing::Values(Made::create, Made::allocate, Made::dynamic));

TEST_P(Windows, FencesMakeAllVisible) {
  Ints w(GetParam(), n() + 1);
  for (int round = 1; round <= 3; ++round) {
    ASSERT_MPI_OK(MPI_Win_fence(round == 1 ? MPI_MODE_NOPRECEDE : 0, w.win));
    std::vector<int> values(static_cast<std::size_t>(n()));
    for (int r = 0; r < n(); ++r) {
      values[static_cast<std::size_t>(r)] = round * 1000 + me();
      ASSERT_MPI_OK(MPI_Put(&values[static_cast<std::size_t>(r)], 1, MPI_INT, r, w.at(r, me()), 1, MPI_INT, w.win));
    }
    ASSERT_MPI_OK(MPI_Win_fence(0, w.win));
    for (int r = 0; r < n(); ++r) EXPECT_EQ(w.memory[r], round * 1000 + r);
    std::vector<int> got(static_cast<std::size_t>(n()), -1);
    const int next = (me() + 1) % n();
    ASSERT_MPI_OK(MPI_Get(got.data(), n(), MPI_INT, next, w.at(next, 0), n(), MPI_INT, w.win));
    ASSERT_MPI_OK(MPI_Win_fence(MPI_MODE_NOSUCCEED, w.win));
    for (int r = 0; r < n(); ++r) EXPECT_EQ(got[static_cast<std::size_t>(r)], round * 1000 + r);
  }
}

TEST_P(Windows, LargeStridedTransfersOfDifferentTypes) {
  constexpr int count = 30000;
  Ints w(GetParam(), 2 * count);
  MPI_Datatype even;
  ASSERT_MPI_OK(MPI_Type_vector(count, 1, 2, MPI_INT, &even));
  ASSERT_MPI_OK(MPI_Type_commit(&even));
  const int next = (me() + 1) % n(), last = (me() + n() - 1) % n();
  std::vector<int> sent(count), got(2 * count, -1);
  std::iota(sent.begin(), sent.end(), me() * count);
  ASSERT_MPI_OK(MPI_Win_fence(0, w.win));
  ASSERT_MPI_OK(MPI_Put(sent.data(), count, MPI_INT, next, w.at(next, 0), 1, even, w.win));
  ASSERT_MPI_OK(MPI_Win_fence(0, w.win));
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(w.memory[2 * i], last * count + i);
    ASSERT_EQ(w.memory[2 * i + 1], 0);
  }
  ASSERT_MPI_OK(MPI_Win_fence(0, w.win));  // all have looked
  ASSERT_MPI_OK(MPI_Accumulate(sent.data(), count, MPI_INT, next, w.at(next, 0), 1, even, MPI_SUM, w.win));
  ASSERT_MPI_OK(MPI_Win_fence(0, w.win));
  ASSERT_MPI_OK(MPI_Get(got.data(), 1, even, next, w.at(next, 0), 1, even, w.win));
  ASSERT_MPI_OK(MPI_Win_fence(0, w.win));
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(got[static_cast<std::size_t>(2 * i)], 2 * (me() * count + i));
    ASSERT_EQ(got[static_cast<std::size_t>(2 * i + 1)], -1);
  }
  ASSERT_MPI_OK(MPI_Type_free(&even));
}

TEST_P(Windows, PostStartCompleteWait) {
  Ints w(GetParam(), 4);
  const int next = (me() + 1) % n(), last = (me() + n() - 1) % n();
  MPI_Group world, to, from;
  ASSERT_MPI_OK(MPI_Win_get_group(w.win, &world));
  ASSERT_MPI_OK(MPI_Group_incl(world, 1, &next, &to));
  ASSERT_MPI_OK(MPI_Group_incl(world, 1, &last, &from));
  for (int round = 0; round < 20; ++round) {
    ASSERT_MPI_OK(MPI_Win_post(from, 0, w.win));
    ASSERT_MPI_OK(MPI_Win_start(to, 0, w.win));
    const int value = 100 * round + me();
    ASSERT_MPI_OK(MPI_Put(&value, 1, MPI_INT, next, w.at(next, 2), 1, MPI_INT, w.win));
    ASSERT_MPI_OK(MPI_Win_complete(w.win));
    int over = round % 2;
    if (over) {
      ASSERT_MPI_OK(MPI_Win_wait(w.win));
    }
    while (!over) ASSERT_MPI_OK(MPI_Win_test(w.win, &over));
    EXPECT_EQ(w.memory[2], 100 * round + last);
  }
  for (MPI_Group* group : {&world, &to, &from}) ASSERT_MPI_OK(MPI_Group_free(group));
}

TEST_P(Windows, CountersLoseNothing) {
  constexpr int rounds = 200;
  Ints w(GetParam(), 4);
  std::vector<int> seen;
  ASSERT_MPI_OK(MPI_Win_lock_all(0, w.win));
  for (int i = 0; i < rounds; ++i) {
    const int one = 1;
    int old = -1;
    ASSERT_MPI_OK(MPI_Fetch_and_op(&one, &old, MPI_INT, 0, w.at(0, 1), MPI_SUM, w.win));
    ASSERT_MPI_OK(MPI_Win_flush(0, w.win));
    if (!seen.empty()) {
      ASSERT_GT(old, seen.back());
    }
    seen.push_back(old);
    ASSERT_MPI_OK(MPI_Accumulate(&one, 1, MPI_INT, 0, w.at(0, 2), 1, MPI_INT, MPI_SUM, w.win));
  }
  ASSERT_MPI_OK(MPI_Win_unlock_all(w.win));
  ASSERT_MPI_OK(MPI_Barrier(MPI_COMM_WORLD));
  ASSERT_MPI_OK(MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, w.win));
  int sums[2];
  ASSERT_MPI_OK(MPI_Get(sums, 2, MPI_INT, 0, w.at(0, 1), 2, MPI_INT, w.win));
  ASSERT_MPI_OK(MPI_Win_unlock(0, w.win));
  EXPECT_EQ(sums[0], rounds * n());
  EXPECT_EQ(sums[1], rounds * n());
  std::vector<int> all(static_cast<std::size_t>(rounds * n()));
  ASSERT_MPI_OK(MPI_Allgather(seen.data(), rounds, MPI_INT, all.data(), rounds, MPI_INT, MPI_COMM_WORLD));
  std::sort(all.begin(), all.end());
  for (int i = 0; i < rounds * n(); ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], i) << "each number once";
}

TEST_P(Windows, ExclusiveLocksExclude) {
  constexpr int rounds = 50;
  Ints w(GetParam(), 2);
  for (int i = 0; i < rounds; ++i) {
    const int target = i % n();
    int value = -1;
    ASSERT_MPI_OK(MPI_Win_lock(MPI_LOCK_EXCLUSIVE, target, 0, w.win));
    ASSERT_MPI_OK(MPI_Get(&value, 1, MPI_INT, target, w.at(target, 0), 1, MPI_INT, w.win));
    ASSERT_MPI_OK(MPI_Win_flush(target, w.win));
    ++value;
    ASSERT_MPI_OK(MPI_Put(&value, 1, MPI_INT, target, w.at(target, 0), 1, MPI_INT, w.win));
    ASSERT_MPI_OK(MPI_Win_unlock(target, w.win));
  }
  ASSERT_MPI_OK(MPI_Barrier(MPI_COMM_WORLD));
  int sum = 0;
  ASSERT_MPI_OK(MPI_Win_lock(MPI_LOCK_SHARED, me(), 0, w.win));
  ASSERT_MPI_OK(MPI_Allreduce(w.memory, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  ASSERT_MPI_OK(MPI_Win_unlock(me(), w.win));
  EXPECT_EQ(sum, rounds * n());
}

TEST_P(Windows, CompareAndSwapElectsOne) {
  Ints w(GetParam(), 1);
  const int none = 0, mine = me() + 1;
  int old = -1, winners = 0;
  ASSERT_MPI_OK(MPI_Win_lock_all(MPI_MODE_NOCHECK, w.win));
  ASSERT_MPI_OK(MPI_Compare_and_swap(&mine, &none, &old, MPI_INT, 0, w.at(0, 0), w.win));
  ASSERT_MPI_OK(MPI_Win_unlock_all(w.win));
  const int won = old == 0;
  ASSERT_MPI_OK(MPI_Allreduce(&won, &winners, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  EXPECT_EQ(winners, 1);
}

TEST_P(Windows, RequestsOfAccesses) {
  constexpr int count = 5000;
  Ints w(GetParam(), count);
  const int next = (me() + 1) % n();
  std::vector<int> sent(count, me() + 1), got(count, -1), before(count, -1), after(count, -1);
  ASSERT_MPI_OK(MPI_Win_lock(MPI_LOCK_EXCLUSIVE, next, 0, w.win));
  MPI_Request requests[2];
  ASSERT_MPI_OK(MPI_Rput(sent.data(), count, MPI_INT, next, w.at(next, 0), count, MPI_INT, w.win, &requests[0]));
  ASSERT_MPI_OK(MPI_Wait(&requests[0], MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Win_flush(next, w.win));
  ASSERT_MPI_OK(MPI_Rget(got.data(), count, MPI_INT, next, w.at(next, 0), count, MPI_INT, w.win, &requests[0]));
  ASSERT_MPI_OK(MPI_Wait(&requests[0], MPI_STATUS_IGNORE));
  EXPECT_EQ(got, sent);
  ASSERT_MPI_OK(MPI_Rget_accumulate(sent.data(), count, MPI_INT, before.data(), count, MPI_INT, next, w.at(next, 0),
                                    count, MPI_INT, MPI_SUM, w.win, &requests[0]));
  ASSERT_MPI_OK(
      MPI_Raccumulate(sent.data(), count, MPI_INT, next, w.at(next, 0), count, MPI_INT, MPI_SUM, w.win, &requests[1]));
  ASSERT_MPI_OK(MPI_Waitall(2, requests, MPI_STATUSES_IGNORE));
  EXPECT_EQ(before, sent) << "what was there before the sum";
  ASSERT_MPI_OK(MPI_Get_accumulate(nullptr, 0, MPI_INT, after.data(), count, MPI_INT, next, w.at(next, 0), count,
                                   MPI_INT, MPI_NO_OP, w.win));
  ASSERT_MPI_OK(MPI_Win_unlock(next, w.win));
  EXPECT_EQ(after, std::vector<int>(count, 3 * (me() + 1)));
  ASSERT_MPI_OK(MPI_Rput(sent.data(), count, MPI_INT, MPI_PROC_NULL, 0, count, MPI_INT, w.win, &requests[0]));
  ASSERT_MPI_OK(MPI_Wait(&requests[0], MPI_STATUS_IGNORE));
}

// Random operations of one origin at each target, whose order the standard fixes, against a replay.
TEST_P(Windows, AccumulatesKeepTheirOrder) {
  constexpr int count = 3000;
  Ints w(GetParam(), count);
  ranks::Random random = ranks::shared_random(3);
  std::vector<int> expected(count, 0);
  const int next = (me() + 1) % n();
  constexpr int rounds = 60;
  std::vector<std::vector<int>> buffers(rounds);
  ASSERT_MPI_OK(MPI_Win_lock_all(0, w.win));
  for (auto& buffer : buffers) {
    const int first = ranks::pick(random, 0, count - 1), length = ranks::pick(random, 1, count - first);
    const bool replace = ranks::pick(random, 0, 1);
    const MPI_Op op = replace ? MPI_REPLACE : MPI_SUM;
    for (int i = 0; i < length; ++i) {
      buffer.push_back(ranks::pick(random, -1000, 1000));
      int& cell = expected[static_cast<std::size_t>(first + i)];
      cell = replace ? buffer.back() : cell + buffer.back();
    }
    ASSERT_MPI_OK(MPI_Accumulate(buffer.data(), length, MPI_INT, next, w.at(next, first), length, MPI_INT, op, w.win));
  }
  ASSERT_MPI_OK(MPI_Win_unlock_all(w.win));
  ASSERT_MPI_OK(MPI_Barrier(MPI_COMM_WORLD));
  ASSERT_MPI_OK(MPI_Win_lock(MPI_LOCK_SHARED, me(), 0, w.win));
  EXPECT_EQ(std::vector<int>(w.memory, w.memory + count), expected);
  ASSERT_MPI_OK(MPI_Win_unlock(me(), w.win));
}

TEST(WindowsAsObjects, AttributesNamesAndInfo) {
  Ints w(Made::create, 6);
  int flag = 0, length = 0;
  void* base = nullptr;
  MPI_Aint* size = nullptr;
  int *unit = nullptr, *flavor = nullptr, *model = nullptr;
  ASSERT_MPI_OK(MPI_Win_get_attr(w.win, MPI_WIN_BASE, &base, &flag));
  EXPECT_EQ(base, w.memory);
  ASSERT_MPI_OK(MPI_Win_get_attr(w.win, MPI_WIN_SIZE, &size, &flag));
  EXPECT_EQ(*size, 24);
  ASSERT_MPI_OK(MPI_Win_get_attr(w.win, MPI_WIN_DISP_UNIT, &unit, &flag));
  EXPECT_EQ(*unit, 4);
  ASSERT_MPI_OK(MPI_Win_get_attr(w.win, MPI_WIN_CREATE_FLAVOR, &flavor, &flag));
  EXPECT_EQ(*flavor, MPI_WIN_FLAVOR_CREATE);
  ASSERT_MPI_OK(MPI_Win_get_attr(w.win, MPI_WIN_MODEL, &model, &flag));
  EXPECT_EQ(*model, MPI_WIN_UNIFIED);
  char name[MPI_MAX_OBJECT_NAME] = "x";
  ASSERT_MPI_OK(MPI_Win_set_name(w.win, "halo"));
  ASSERT_MPI_OK(MPI_Win_get_name(w.win, name, &length));
  EXPECT_STREQ(name, "halo");
  int keyval = MPI_KEYVAL_INVALID;
  ASSERT_MPI_OK(MPI_Win_create_keyval(MPI_WIN_NULL_COPY_FN, MPI_WIN_NULL_DELETE_FN, &keyval, nullptr));
  ASSERT_MPI_OK(MPI_Win_set_attr(w.win, keyval, name));
  ASSERT_MPI_OK(MPI_Win_get_attr(w.win, keyval, &base, &flag));
  EXPECT_TRUE(flag && base == name);
  ASSERT_MPI_OK(MPI_Win_delete_attr(w.win, keyval));
  ASSERT_MPI_OK(MPI_Win_free_keyval(&keyval));
  MPI_Info info;
  ASSERT_MPI_OK(MPI_Win_get_info(w.win, &info));
  ASSERT_MPI_OK(MPI_Win_set_info(w.win, info));
  char value[64];
  length = sizeof value;
  ASSERT_MPI_OK(MPI_Info_get_string(info, "accumulate_ordering", &length, value, &flag));
  EXPECT_STREQ(value, "rar,raw,war,waw");
  ASSERT_MPI_OK(MPI_Info_free(&info));
  MPI_Errhandler handler;
  ASSERT_MPI_OK(MPI_Win_get_errhandler(w.win, &handler));
  EXPECT_EQ(handler, MPI_ERRORS_RETURN);
  ASSERT_MPI_OK(MPI_Win_call_errhandler(w.win, MPI_ERR_OTHER));
  ASSERT_MPI_OK(MPI_Win_sync(w.win));
}

TEST(WindowsAsObjects, MisuseIsToldByItsClass) {
  Ints w(Made::create, 4);
  int value = 0, flag = 0;
  const auto fails = [](int code, int error_class) { EXPECT_EQ(ranks::error_class(code), error_class); };
  fails(MPI_Put(&value, 1, MPI_INT, 0, 0, 1, MPI_INT, w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_unlock(0, w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_unlock_all(w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_flush(0, w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_flush_local(0, w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_flush_all(w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_flush_local_all(w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_complete(w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_wait(w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_test(w.win, &flag), MPI_ERR_RMA_SYNC);
  fails(MPI_Win_lock(77, 0, 0, w.win), MPI_ERR_LOCKTYPE);
  fails(MPI_Win_lock(MPI_LOCK_SHARED, n(), 0, w.win), MPI_ERR_RANK);
  fails(MPI_Win_fence(1 << 20, w.win), MPI_ERR_ASSERT);
  fails(MPI_Win_attach(w.win, &value, 4), MPI_ERR_RMA_FLAVOR);
  fails(MPI_Win_detach(w.win, &value), MPI_ERR_RMA_FLAVOR);
  ASSERT_MPI_OK(MPI_Win_lock(MPI_LOCK_SHARED, me(), 0, w.win));
  fails(MPI_Win_lock(MPI_LOCK_SHARED, me(), 0, w.win), MPI_ERR_RMA_SYNC);
  fails(MPI_Put(&value, 1, MPI_INT, me(), 4, 1, MPI_INT, w.win), MPI_ERR_RMA_RANGE);
  fails(MPI_Put(&value, 1, MPI_INT, me(), -1, 1, MPI_INT, w.win), MPI_ERR_DISP);
  fails(MPI_Win_free(&w.win), MPI_ERR_RMA_SYNC);
  ASSERT_MPI_OK(MPI_Win_flush_local(me(), w.win));
  ASSERT_MPI_OK(MPI_Win_flush_local_all(w.win));
  ASSERT_MPI_OK(MPI_Win_flush_all(w.win));
  ASSERT_MPI_OK(MPI_Win_unlock(me(), w.win));
}

TEST(LargeForms, DoTheSame) {
  int* memory = nullptr;
  MPI_Win win;
  int value = 5, got = -1;
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Win_create_c(&value, sizeof value, 4, MPI_INFO_NULL, MPI_COMM_SELF, &win));
  ASSERT_MPI_OK(MPI_Win_free(&win));
  ASSERT_MPI_OK(MPI_Win_allocate_shared_c(8, 4, MPI_INFO_NULL, MPI_COMM_SELF, &memory, &win));
  ASSERT_MPI_OK(MPI_Win_free(&win));
  ASSERT_MPI_OK(MPI_Win_allocate_c(8, 4, MPI_INFO_NULL, MPI_COMM_SELF, &memory, &win));
  MPI_Aint size = 0, unit = 0;
  int* there = nullptr;
  ASSERT_MPI_OK(MPI_Win_shared_query_c(win, 0, &size, &unit, &there));
  EXPECT_TRUE(there == memory && size == 8 && unit == 4);
  ASSERT_MPI_OK(MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win));
  ASSERT_MPI_OK(MPI_Put_c(&value, 1, MPI_INT, 0, 1, 1, MPI_INT, win));
  ASSERT_MPI_OK(MPI_Rput_c(&value, 1, MPI_INT, 0, 1, 1, MPI_INT, win, &request));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Accumulate_c(&value, 1, MPI_INT, 0, 1, 1, MPI_INT, MPI_SUM, win));
  ASSERT_MPI_OK(MPI_Raccumulate_c(&value, 1, MPI_INT, 0, 1, 1, MPI_INT, MPI_SUM, win, &request));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Get_accumulate_c(&value, 1, MPI_INT, &got, 1, MPI_INT, 0, 1, 1, MPI_INT, MPI_SUM, win));
  ASSERT_MPI_OK(MPI_Win_flush(0, win));
  EXPECT_EQ(got, 15);
  ASSERT_MPI_OK(MPI_Rget_accumulate_c(&value, 1, MPI_INT, &got, 1, MPI_INT, 0, 1, 1, MPI_INT, MPI_SUM, win, &request));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_EQ(got, 20);
  ASSERT_MPI_OK(MPI_Get_c(&got, 1, MPI_INT, 0, 1, 1, MPI_INT, win));
  EXPECT_EQ(got, 25);
  ASSERT_MPI_OK(MPI_Rget_c(&got, 1, MPI_INT, 0, 1, 1, MPI_INT, win, &request));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Win_unlock(0, win));
  EXPECT_EQ(got, 25);
  ASSERT_MPI_OK(MPI_Win_free(&win));
}

TEST(SharedWindows, AreOnePieceThatAllSee) {
  MPI_Comm node;
  ASSERT_MPI_OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  const int rank = ranks::rank(node), size = ranks::count(node);
  int* own = nullptr;
  MPI_Win win;
  ASSERT_MPI_OK(MPI_Win_allocate_shared(3 * sizeof(int), sizeof(int), MPI_INFO_NULL, node, &own, &win));
  ASSERT_MPI_OK(MPI_Win_fence(0, win));
  own[0] = 10 * rank;
  ASSERT_MPI_OK(MPI_Win_fence(0, win));
  int* first = nullptr;
  for (int r = 0; r < size; ++r) {
    MPI_Aint bytes = 0;
    int unit = 0;
    int* there = nullptr;
    ASSERT_MPI_OK(MPI_Win_shared_query(win, r, &bytes, &unit, &there));
    if (r == 0) first = there;
    EXPECT_EQ(bytes, 12);
    EXPECT_EQ(unit, 4);
    EXPECT_EQ(there, first + 3 * r);
    EXPECT_EQ(*there, 10 * r);
  }
  ASSERT_MPI_OK(MPI_Win_free(&win));
  ASSERT_MPI_OK(MPI_Comm_free(&node));
}

}  // namespace
