// What multi-rank tests share: who we are, checked calls, reproducible random numbers.
#pragma once

#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace ranks {

inline int rank(MPI_Comm comm = MPI_COMM_WORLD) {
  int value = -1;
  MPI_Comm_rank(comm, &value);
  return value;
}

inline int count(MPI_Comm comm = MPI_COMM_WORLD) {
  int value = -1;
  MPI_Comm_size(comm, &value);
  return value;
}

// The run's seed: TESTS_SEED, the same on all ranks. The listener of main.cpp prints it beside every failure.
std::uint64_t seed();

using Random = std::mt19937_64;

// Same numbers on all ranks: for what they must agree on without talking (sizes, roots, tags).
inline Random shared_random(std::uint64_t salt) { return Random(seed() * 1'000'003 + salt); }

// Other numbers on each rank.
inline Random own_random(std::uint64_t salt) {
  return Random((seed() * 1'000'003 + salt) * 1'009 + static_cast<std::uint64_t>(rank()) + 1);
}

inline int pick(Random& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }

// Sizes that matter: nothing, one, around powers of two and the protocols' limits, and anything in between.
inline std::size_t pick_size(Random& random, std::size_t largest) {
  static constexpr std::size_t corners[] = {0, 1, 7, 8, 63, 64, 65, 4095, 4096, 4097, 15'999, 16'000, 16'001, 65'536};
  std::size_t size = 0;
  switch (pick(random, 0, 2)) {
    case 0: size = corners[static_cast<std::size_t>(pick(random, 0, 13))]; break;
    case 1: size = std::size_t{1} << pick(random, 0, 20); break;
    default: size = static_cast<std::size_t>(pick(random, 0, 40'000)); break;
  }
  return size < largest ? size : largest;
}

// Bytes that tell where they come from: two messages with different keys do not look alike anywhere.
inline unsigned char pattern_byte(std::uint64_t key, std::size_t i) {
  std::uint64_t x = (key + 1) * 0x9E3779B97F4A7C15ull + (i >> 3) * 0xBF58476D1CE4E5B9ull;
  x ^= x >> 29;
  x *= 0x94D049BB133111EBull;
  x ^= x >> 32;
  return static_cast<unsigned char>(x >> ((i & 7) * 8));
}

inline std::vector<unsigned char> pattern(std::uint64_t key, std::size_t size) {
  std::vector<unsigned char> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = pattern_byte(key, i);
  return bytes;
}

// The first byte that is not the pattern's, or -1: quick to check, and tells more than a whole dump.
inline long first_difference(const void* data, std::uint64_t key, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i)
    if (bytes[i] != pattern_byte(key, i)) return static_cast<long>(i);
  return -1;
}

// Run with another library (COW_FOREIGN_MPI), where a test must go round that library's own faults.
inline bool foreign() { return std::getenv("COW_TEST_FOREIGN") != nullptr; }

inline int error_class(int code) {
  int value = -1;
  MPI_Error_class(code, &value);
  return value;
}

inline std::string error_text(int code) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return {text, static_cast<std::size_t>(length)};
}

// A duplicate of a communicator whose errors come back as codes, freed at the end of the scope.
class ReturningComm {
 public:
  explicit ReturningComm(MPI_Comm of = MPI_COMM_WORLD) {
    MPI_Comm_dup(of, &comm_);
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
  }
  ReturningComm(const ReturningComm&) = delete;
  ReturningComm& operator=(const ReturningComm&) = delete;
  ~ReturningComm() { MPI_Comm_free(&comm_); }
  operator MPI_Comm() const { return comm_; }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

}  // namespace ranks

#define EXPECT_MPI_OK(call) EXPECT_EQ(call, MPI_SUCCESS)
#define ASSERT_MPI_OK(call) ASSERT_EQ(call, MPI_SUCCESS)
#define EXPECT_MPI_ERROR(call, expected) EXPECT_EQ(ranks::error_class(call), expected)
// A test that needs more ranks than there are. The same on all ranks, so it may stand before any communication.
#define NEED_RANKS(n) \
  if (ranks::count() < (n)) GTEST_SKIP() << "needs " << (n) << " ranks"
