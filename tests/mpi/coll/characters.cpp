// Each call that reduces, on MPI_CHAR: the standard allows no operation on it, every library does it as the C compiler's
// char, and benchmarks have it as their default.
#include <array>
#include <functional>
#include <vector>

#include "support/ranks.hpp"

namespace {

constexpr int length = 9;
using Text = std::array<char, length>;
using Combine = std::function<int(int, int)>;

struct Operation {
  MPI_Op handle;
  const char* name;
  Combine combine;
};

const Operation operations[] = {{MPI_SUM, "MPI_SUM", [](int a, int b) { return a + b; }},
                                {MPI_PROD, "MPI_PROD", [](int a, int b) { return a * b; }},
                                {MPI_MIN, "MPI_MIN", [](int a, int b) { return a < b ? a : b; }},
                                {MPI_MAX, "MPI_MAX", [](int a, int b) { return a > b ? a : b; }},
                                {MPI_LAND, "MPI_LAND", [](int a, int b) { return a && b; }},
                                {MPI_LOR, "MPI_LOR", [](int a, int b) { return a || b; }},
                                {MPI_LXOR, "MPI_LXOR", [](int a, int b) { return !a != !b; }},
                                {MPI_BAND, "MPI_BAND", [](int a, int b) { return a & b; }},
                                {MPI_BOR, "MPI_BOR", [](int a, int b) { return a | b; }},
                                {MPI_BXOR, "MPI_BXOR", [](int a, int b) { return a ^ b; }}};

// Negative and positive values, and zeros; with unsigned char the former are large.
template <std::size_t size>
std::array<char, size> contribution(int rank) {
  std::array<char, size> text;
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(static_cast<int>(i) * 7 % 11 - 4 - rank);
  return text;
}

// What ranks [0, ranks) give together.
template <std::size_t size>
std::array<char, size> combined(const Combine& combine, int ranks) {
  auto text = contribution<size>(0);
  for (int rank = 1; rank < ranks; ++rank)
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(combine(text[i], contribution<size>(rank)[i]));
  return text;
}

struct Characters : testing::Test {
  const int me = ranks::rank(), n = ranks::count();
  const Text mine = contribution<length>(me);
  Text result{};
  MPI_Comm comm = MPI_COMM_WORLD;

  void finish(MPI_Request request) { ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE)); }
  void run_and_free(MPI_Request request) {
    ASSERT_MPI_OK(MPI_Start(&request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Request_free(&request));
  }

  // The call is given an operation and fills `result`, at ranks from `from` on.
  void check(const std::function<void(MPI_Op)>& call, const std::function<int()>& ranks_in_it, int from = 0) {
    for (const Operation& operation : operations) {
      SCOPED_TRACE(operation.name);
      result = {};
      call(operation.handle);
      if (me < from) continue;
      EXPECT_EQ(result, combined<length>(operation.combine, ranks_in_it()));
    }
  }
  void check_all(const std::function<void(MPI_Op)>& call) {
    check(call, [this] { return n; });
  }
};

TEST_F(Characters, ReduceLocal) {
  for (const Operation& operation : operations) {
    SCOPED_TRACE(operation.name);
    result = contribution<length>(1);
    const Text in = contribution<length>(0);
    ASSERT_MPI_OK(MPI_Reduce_local(in.data(), result.data(), length, MPI_CHAR, operation.handle));
    EXPECT_EQ(result, combined<length>(operation.combine, 2));
  }
}

TEST_F(Characters, Allreduce) {
  check_all([&](MPI_Op op) { MPI_Allreduce(mine.data(), result.data(), length, MPI_CHAR, op, comm); });
  check_all([&](MPI_Op op) {
    result = mine;
    MPI_Allreduce(MPI_IN_PLACE, result.data(), length, MPI_CHARACTER, op, comm);
  });
  check_all([&](MPI_Op op) {
    MPI_Request request;
    MPI_Iallreduce(mine.data(), result.data(), length, MPI_CHAR, op, comm, &request);
    finish(request);
  });
  check_all([&](MPI_Op op) {
    MPI_Request request;
    MPI_Allreduce_init(mine.data(), result.data(), length, MPI_CHAR, op, comm, MPI_INFO_NULL, &request);
    run_and_free(request);
  });
}

TEST_F(Characters, Reduce) {
  const int root = n - 1;
  const auto all = [this] { return n; };
  check([&](MPI_Op op) { MPI_Reduce(mine.data(), result.data(), length, MPI_CHAR, op, root, comm); }, all, root);
  check(
      [&](MPI_Op op) {
        MPI_Request request;
        MPI_Ireduce(mine.data(), result.data(), length, MPI_CHAR, op, root, comm, &request);
        finish(request);
      },
      all, root);
  check(
      [&](MPI_Op op) {
        MPI_Request request;
        MPI_Reduce_init(mine.data(), result.data(), length, MPI_CHAR, op, root, comm, MPI_INFO_NULL, &request);
        run_and_free(request);
      },
      all, root);
}

TEST_F(Characters, Scan) {
  const auto up_to_me = [this] { return me + 1; };
  check([&](MPI_Op op) { MPI_Scan(mine.data(), result.data(), length, MPI_CHAR, op, comm); }, up_to_me);
  check(
      [&](MPI_Op op) {
        MPI_Request request;
        MPI_Iscan(mine.data(), result.data(), length, MPI_CHAR, op, comm, &request);
        finish(request);
      },
      up_to_me);
  check(
      [&](MPI_Op op) {
        MPI_Request request;
        MPI_Scan_init(mine.data(), result.data(), length, MPI_CHAR, op, comm, MPI_INFO_NULL, &request);
        run_and_free(request);
      },
      up_to_me);
}

TEST_F(Characters, Exscan) {
  const auto before_me = [this] { return me; };
  check([&](MPI_Op op) { MPI_Exscan(mine.data(), result.data(), length, MPI_CHAR, op, comm); }, before_me, 1);
  check(
      [&](MPI_Op op) {
        MPI_Request request;
        MPI_Iexscan(mine.data(), result.data(), length, MPI_CHAR, op, comm, &request);
        finish(request);
      },
      before_me, 1);
  check(
      [&](MPI_Op op) {
        MPI_Request request;
        MPI_Exscan_init(mine.data(), result.data(), length, MPI_CHAR, op, comm, MPI_INFO_NULL, &request);
        run_and_free(request);
      },
      before_me, 1);
}

// Both reduce-scatters give block i to rank i: two characters of a longer text.
struct ScatteredCharacters : testing::Test {
  static constexpr std::size_t most = 2 * 64;
  const int me = ranks::rank(), n = ranks::count();
  const std::array<char, most> mine = contribution<most>(me);
  std::array<char, 2> result{};
  std::vector<int> counts = std::vector<int>(static_cast<std::size_t>(n), 2);
  MPI_Comm comm = MPI_COMM_WORLD;

  void check(const std::function<MPI_Request(MPI_Op)>& begin, bool persistent = false) {
    for (const Operation& operation : operations) {
      SCOPED_TRACE(operation.name);
      result = {};
      MPI_Request request = begin(operation.handle);
      EXPECT_EQ(persistent ? MPI_Start(&request) : MPI_SUCCESS, MPI_SUCCESS);
      ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
      EXPECT_EQ(persistent ? MPI_Request_free(&request) : MPI_SUCCESS, MPI_SUCCESS);
      const auto all = combined<most>(operation.combine, n);
      const auto at = static_cast<std::size_t>(2 * me);
      EXPECT_EQ(result, (std::array<char, 2>{all[at], all[at + 1]}));
    }
  }
};

TEST_F(ScatteredCharacters, ReduceScatter) {
  MPI_Request request = MPI_REQUEST_NULL;
  check([&](MPI_Op op) {
    MPI_Reduce_scatter(mine.data(), result.data(), counts.data(), MPI_CHAR, op, comm);
    return MPI_REQUEST_NULL;
  });
  check([&](MPI_Op op) {
    MPI_Ireduce_scatter(mine.data(), result.data(), counts.data(), MPI_CHAR, op, comm, &request);
    return request;
  });
  check(
      [&](MPI_Op op) {
        MPI_Reduce_scatter_init(mine.data(), result.data(), counts.data(), MPI_CHAR, op, comm, MPI_INFO_NULL, &request);
        return request;
      },
      true);
}

TEST_F(ScatteredCharacters, ReduceScatterBlock) {
  MPI_Request request = MPI_REQUEST_NULL;
  check([&](MPI_Op op) {
    MPI_Reduce_scatter_block(mine.data(), result.data(), 2, MPI_CHAR, op, comm);
    return MPI_REQUEST_NULL;
  });
  check([&](MPI_Op op) {
    MPI_Ireduce_scatter_block(mine.data(), result.data(), 2, MPI_CHAR, op, comm, &request);
    return request;
  });
  check(
      [&](MPI_Op op) {
        MPI_Reduce_scatter_block_init(mine.data(), result.data(), 2, MPI_CHAR, op, comm, MPI_INFO_NULL, &request);
        return request;
      },
      true);
}

}  // namespace
