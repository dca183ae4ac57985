// Messages over 2 GiB, with counts over 2^31 and with small counts of large items. Needs about 5 GiB of memory.
#include "support/ranks.hpp"

namespace {

#if MPI_VERSION >= 4
// Filled sparsely: a number every 4093 bytes, which is prime to all sizes of pages and packets.
void mark(std::vector<unsigned char>& data) {
  for (std::size_t i = 0; i < data.size(); i += 4093) data[i] = static_cast<unsigned char>(i / 4093 * 31 + 1);
}

bool marked(const std::vector<unsigned char>& data) {
  for (std::size_t i = 0; i < data.size(); i += 4093)
    if (data[i] != static_cast<unsigned char>(i / 4093 * 31 + 1)) return false;
  return true;
}

constexpr std::size_t huge = (std::size_t{1} << 31) + 12'345;

TEST(Huge, CountOverTwoToThe31) {
  NEED_RANKS(2);
  if (ranks::rank() > 1) return;
  std::vector<unsigned char> data(huge);
  if (ranks::rank() == 0) {
    mark(data);
    ASSERT_MPI_OK(MPI_Send_c(data.data(), static_cast<MPI_Count>(huge), MPI_BYTE, 1, 1, MPI_COMM_WORLD));
    return;
  }
  MPI_Status status;
  MPI_Count count = -1;
  int small = 0;
  ASSERT_MPI_OK(MPI_Recv_c(data.data(), static_cast<MPI_Count>(huge), MPI_BYTE, 0, 1, MPI_COMM_WORLD, &status));
  ASSERT_MPI_OK(MPI_Get_count_c(&status, MPI_BYTE, &count));
  EXPECT_EQ(count, static_cast<MPI_Count>(huge));
  ASSERT_MPI_OK(MPI_Get_count(&status, MPI_BYTE, &small));
  EXPECT_EQ(small, MPI_UNDEFINED);
  EXPECT_TRUE(marked(data));
}

TEST(Huge, SmallCountOfDoubles) {
  NEED_RANKS(2);
  if (ranks::rank() > 1) return;
  const int count = static_cast<int>(huge / sizeof(double));
  std::vector<unsigned char> data(huge);
  if (ranks::rank() == 0) {
    mark(data);
    ASSERT_MPI_OK(MPI_Send(data.data(), count, MPI_DOUBLE, 1, 2, MPI_COMM_WORLD));
    return;
  }
  MPI_Status status;
  int got = 0;
  ASSERT_MPI_OK(MPI_Recv(data.data(), count, MPI_DOUBLE, 0, 2, MPI_COMM_WORLD, &status));
  ASSERT_MPI_OK(MPI_Get_count(&status, MPI_DOUBLE, &got));
  EXPECT_EQ(got, count);
  data.resize(static_cast<std::size_t>(count) * sizeof(double));
  EXPECT_TRUE(marked(data));
}
#endif

}  // namespace
