// Collectives of more than 2^31 elements, and of more than 2^31 bytes in all where each count is an int. Needs about 9 GiB of
// memory.
#include "support/ranks.hpp"

namespace {

#if MPI_VERSION >= 4
using Bytes = std::vector<unsigned char>;

constexpr std::size_t huge = (std::size_t{1} << 31) + 12'345, half = (std::size_t{1} << 30) + 4'567;
constexpr std::size_t stride = 4093;  // between the bytes that are filled: prime to all sizes of pages and pieces

unsigned char mark(int rank, std::size_t i) {
  return static_cast<unsigned char>(i / stride * 31 + static_cast<std::size_t>(rank) * 7 + 1);
}

void fill(unsigned char* data, std::size_t size, int rank) {
  for (std::size_t i = 0; i < size; i += stride) data[i] = mark(rank, i);
}

template <class Expected>
long first_wrong(const unsigned char* data, std::size_t size, Expected expected) {
  for (std::size_t i = 0; i < size; i += stride)
    if (data[i] != expected(i)) return static_cast<long>(i);
  return -1;
}

class Huge : public testing::TestWithParam<bool> {  // whether it is nonblocking
 protected:
  // Makes the call in one form or the other.
  template <class Blocking, class Nonblocking>
  void call(Blocking blocking, Nonblocking nonblocking) {
    MPI_Request request = MPI_REQUEST_NULL;
    ASSERT_MPI_OK(GetParam() ? nonblocking(&request) : blocking());
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  }
  const int n = ranks::count(), me = ranks::rank();
};

INSTANTIATE_TEST_SUITE_P(Forms, Huge, testing::Bool());

TEST_P(Huge, Bcast) {
  Bytes data(huge);
  if (me == n - 1) fill(data.data(), huge, me);
  const auto count = static_cast<MPI_Count>(huge);
  call([&] { return MPI_Bcast_c(data.data(), count, MPI_BYTE, n - 1, MPI_COMM_WORLD); },
       [&](MPI_Request* r) { return MPI_Ibcast_c(data.data(), count, MPI_BYTE, n - 1, MPI_COMM_WORLD, r); });
  EXPECT_EQ(first_wrong(data.data(), huge, [&](std::size_t i) { return mark(n - 1, i); }), -1);
}

// The program's function counts in int.
void exclusive_or(void* in, void* inout, int* n, MPI_Datatype*) {
  for (int i = 0; i < *n; ++i) static_cast<unsigned char*>(inout)[i] ^= static_cast<unsigned char*>(in)[i];
}

TEST_P(Huge, Allreduce) {
  MPI_Op own;
  ASSERT_MPI_OK(MPI_Op_create(exclusive_or, 1, &own));
  for (const MPI_Op op : {MPI_BXOR, own}) {
    Bytes data(huge);
    fill(data.data(), huge, me);
    const auto count = static_cast<MPI_Count>(huge);
    call([&] { return MPI_Allreduce_c(MPI_IN_PLACE, data.data(), count, MPI_BYTE, op, MPI_COMM_WORLD); },
         [&](MPI_Request* r) {
           return MPI_Iallreduce_c(MPI_IN_PLACE, data.data(), count, MPI_BYTE, op, MPI_COMM_WORLD, r);
         });
    const auto sum = [&](std::size_t i) {
      unsigned char out = 0;
      for (int r = 0; r < n; ++r) out ^= mark(r, i);
      return out;
    };
    EXPECT_EQ(first_wrong(data.data(), huge, sum), -1);
  }
  ASSERT_MPI_OK(MPI_Op_free(&own));
}

// Each block's length is an int, but not where the last one lies.
TEST_P(Huge, GatherOfBlocksThatAreNot) {
  Bytes own(half), all(me == 0 ? half * static_cast<std::size_t>(n) : 0);
  fill(own.data(), half, me);
  const int count = half;
  call([&] { return MPI_Gather(own.data(), count, MPI_BYTE, all.data(), count, MPI_BYTE, 0, MPI_COMM_WORLD); },
       [&](MPI_Request* r) {
         return MPI_Igather(own.data(), count, MPI_BYTE, all.data(), count, MPI_BYTE, 0, MPI_COMM_WORLD, r);
       });
  for (int r = 0; me == 0 && r < n; ++r)
    EXPECT_EQ(
        first_wrong(all.data() + half * static_cast<std::size_t>(r), half, [&](std::size_t i) { return mark(r, i); }),
        -1)
        << r;
}
#endif

}  // namespace
