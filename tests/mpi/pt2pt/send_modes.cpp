// Send modes: under `copy`, `cow` and `auto` the buffer is the program's as soon as MPI_Send returns, whatever it does with it,
// and the receiver gets the bytes as they were.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>

#include "support/ranks.hpp"

namespace {

constexpr std::size_t mebibyte = 1 << 20;

// A communicator of this rank and its neighbour (a rank without one is alone), with a mode.
class SendModes : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (ranks::foreign()) GTEST_SKIP() << "another library knows no send modes";
    MPI_Info info;
    MPI_Info_create(&info);
    MPI_Info_set(info, "cow_send_mode", GetParam());
    MPI_Comm pair;
    MPI_Comm_split(MPI_COMM_WORLD, ranks::rank() / 2, 0, &pair);
    MPI_Comm_dup_with_info(pair, info, &comm_);
    MPI_Comm_free(&pair);
    MPI_Info_free(&info);
    int size, rank;
    MPI_Comm_size(comm_, &size);
    MPI_Comm_rank(comm_, &rank);
    other_ = size == 1 ? 0 : 1 - rank;
  }
  void TearDown() override {
    if (comm_ != MPI_COMM_NULL) MPI_Comm_free(&comm_);
  }

  // Both have sent before either receives.
  void meet() { MPI_Barrier(comm_); }

  void receive_and_check(std::size_t size, unsigned seed) {
    std::vector<unsigned char> in(size, 0xEE);
    ASSERT_MPI_OK(MPI_Recv_c(in.data(), static_cast<MPI_Count>(size), MPI_BYTE, other_, 1, comm_, MPI_STATUS_IGNORE));
    ASSERT_EQ(first_wrong(in.data(), size, seed), size);
  }

  static unsigned char byte_at(std::size_t i, unsigned seed) {
    return static_cast<unsigned char>((i * 2654435761u + seed * 40503u) >> 13);
  }
  static void fill(void* buffer, std::size_t size, unsigned seed) {
    for (std::size_t i = 0; i < size; ++i) static_cast<unsigned char*>(buffer)[i] = byte_at(i, seed);
  }
  static std::size_t first_wrong(const unsigned char* bytes, std::size_t size, unsigned seed) {
    std::size_t i = 0;
    while (i < size && bytes[i] == byte_at(i, seed)) ++i;
    return i;
  }

  void send(const void* buffer, std::size_t size) {
    ASSERT_MPI_OK(MPI_Send_c(buffer, static_cast<MPI_Count>(size), MPI_BYTE, other_, 1, comm_));
  }

  MPI_Comm comm_ = MPI_COMM_NULL;
  int other_ = 0;
};

TEST_P(SendModes, BothSendBeforeEitherReceivesAndOverwriteTheBuffer) {
  for (std::size_t size :
       {std::size_t{0}, std::size_t{8}, std::size_t{16'000}, std::size_t{16'001}, mebibyte - 1, 4 * mebibyte + 3}) {
    std::vector<unsigned char> out(size);
    fill(out.data(), size, 1);
    send(out.data(), size);
    std::fill(out.begin(), out.end(), 0xAA);
    meet();
    receive_and_check(size, 1);
  }
}

TEST_P(SendModes, MoreSmallMessagesThanTheReceiverTakesIn) {
  constexpr int count = 3000;  // 12 MiB, where a sender may pile up 1 MiB
  unsigned char out[4096];
  for (int i = 0; i < count; ++i) {
    fill(out, sizeof out, static_cast<unsigned>(i));
    send(out, sizeof out);
  }
  memset(out, 0, sizeof out);
  for (int i = 0; i < count; ++i) receive_and_check(sizeof out, static_cast<unsigned>(i));
}

TEST_P(SendModes, ANonblockingSendIsCompleteAtOnce) {
  std::vector<unsigned char> out(3 * mebibyte);
  fill(out.data(), out.size(), 5);
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Isend(out.data(), static_cast<int>(out.size()), MPI_BYTE, other_, 1, comm_, &request));
  // Under `auto` it is so after a while.
  int complete = 0;
  do ASSERT_MPI_OK(MPI_Test(&request, &complete, MPI_STATUS_IGNORE));
  while (!complete && strcmp(GetParam(), "auto") == 0);
  EXPECT_EQ(complete, 1);
  std::fill(out.begin(), out.end(), 0xAA);
  meet();
  receive_and_check(out.size(), 5);
}

TEST_P(SendModes, APersistentSendMayBeStartedAgainAtOnce) {
  std::vector<unsigned char> out(2 * mebibyte);
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Send_init(out.data(), static_cast<int>(out.size()), MPI_BYTE, other_, 1, comm_, &request));
  for (unsigned round = 0; round < 3; ++round) {
    fill(out.data(), out.size(), round);
    ASSERT_MPI_OK(MPI_Start(&request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  }
  ASSERT_MPI_OK(MPI_Request_free(&request));
  std::fill(out.begin(), out.end(), 0xAA);
  meet();
  for (unsigned round = 0; round < 3; ++round) receive_and_check(out.size(), round);
}

TEST_P(SendModes, ASendThatMatchesAtOnce) {
  const std::size_t size = 2 * mebibyte;
  std::vector<unsigned char> in(size), out(size);
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Irecv(in.data(), static_cast<int>(size), MPI_BYTE, other_, 1, comm_, &request));
  meet();
  fill(out.data(), size, 9);
  send(out.data(), size);
  std::fill(out.begin(), out.end(), 0xAA);
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_EQ(first_wrong(in.data(), size, 9), size);
}

TEST_P(SendModes, ABufferThatIsUnmappedAtOnce) {
  const std::size_t size = 4 * mebibyte;
  void* out = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(out, MAP_FAILED);
  fill(out, size, 2);
  send(out, size);
  munmap(out, size);
  meet();
  receive_and_check(size, 2);
}

TEST_P(SendModes, ABufferThatTheKernelFillsAtOnce) {
  const std::size_t size = 2 * mebibyte;
  std::vector<unsigned char> out(size);
  fill(out.data(), size, 3);
  send(out.data(), size);
  const int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(read(zeros, out.data(), size), static_cast<ssize_t>(size));
  close(zeros);
  meet();
  receive_and_check(size, 3);
}

TEST_P(SendModes, ABufferOnTheStack) {
  unsigned char out[2 * mebibyte];
  fill(out, sizeof out, 4);
  send(out, sizeof out);
  memset(out, 0, sizeof out);
  meet();
  receive_and_check(sizeof out, 4);
}

// Memory that a snapshot does not keep is copied.
TEST_P(SendModes, SharedMemoryAndMemoryWithheldFromChildren) {
  const std::size_t size = 2 * mebibyte;
  for (int kind = 0; kind < 4; ++kind) {
    const int sharing = kind == 0 ? MAP_SHARED : MAP_PRIVATE;
    void* out = mmap(nullptr, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(out, MAP_FAILED);
    if (kind == 1) madvise(out, size, MADV_DONTFORK);
    if (kind == 2) madvise(out, size, MADV_WIPEONFORK);
    if (kind == 3) madvise(out, size, MADV_HUGEPAGE);
    fill(out, size, 6);
    send(out, size);
    memset(out, 0, size);
    munmap(out, size);
    meet();
    receive_and_check(size, 6);
  }
}

TEST_P(SendModes, DataWithHoles) {
  const int blocks = 300'000;
  std::vector<unsigned char> out(static_cast<std::size_t>(blocks) * 8), packed;
  fill(out.data(), out.size(), 7);
  for (std::size_t i = 0; i < out.size(); i += 8)
    packed.insert(packed.end(), out.begin() + static_cast<long>(i), out.begin() + static_cast<long>(i) + 5);
  MPI_Datatype type;
  MPI_Type_vector(blocks, 5, 8, MPI_BYTE, &type);
  MPI_Type_commit(&type);
  ASSERT_MPI_OK(MPI_Send(out.data(), 1, type, other_, 1, comm_));
  MPI_Type_free(&type);
  std::fill(out.begin(), out.end(), 0);
  meet();
  std::vector<unsigned char> in(packed.size());
  ASSERT_MPI_OK(MPI_Recv(in.data(), static_cast<int>(in.size()), MPI_BYTE, other_, 1, comm_, MPI_STATUS_IGNORE));
  EXPECT_TRUE(in == packed);
}

TEST_P(SendModes, NothingOfItIsSeenByAProgramThatWaitsForItsChildren) {
  static volatile sig_atomic_t signals = 0;
  struct sigaction before, counting = {};
  counting.sa_handler = [](int) { signals = signals + 1; };
  sigaction(SIGCHLD, &counting, &before);
  std::vector<unsigned char> out(2 * mebibyte);
  fill(out.data(), out.size(), 8);
  send(out.data(), out.size());
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  meet();
  receive_and_check(out.size(), 8);
  meet();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(signals, 0);
  sigaction(SIGCHLD, &before, nullptr);
}

TEST_P(SendModes, ManyOfRandomRangesWithRandomWritesInBetween) {
  constexpr std::size_t pool_size = 8 * mebibyte;
  std::minstd_rand random(static_cast<unsigned>(ranks::rank()) + 1);
  std::vector<unsigned char> pool(pool_size), sent;
  std::vector<unsigned> sums, theirs(40);
  const auto sum = [](const unsigned char* bytes, std::size_t size) {
    unsigned value = 1;
    for (std::size_t i = 0; i < size; ++i) value = value * 31 + bytes[i];
    return value;
  };
  fill(pool.data(), pool.size(), 11);
  for (int i = 0; i < 40; ++i) {
    const std::size_t begin = random() % (pool_size / 2), size = random() % (pool_size / 2);
    sums.push_back(sum(&pool[begin], size));
    send(&pool[begin], size);
    for (int page = 0; page < 20; ++page)
      memset(&pool[random() % (pool_size - 4096)], static_cast<int>(random()), 4096);
  }
  ASSERT_MPI_OK(MPI_Sendrecv(sums.data(), 40, MPI_UNSIGNED, other_, 2, theirs.data(), 40, MPI_UNSIGNED, other_, 2,
                             comm_, MPI_STATUS_IGNORE));
  for (unsigned expected : theirs) {
    MPI_Status status;
    MPI_Count size;
    ASSERT_MPI_OK(MPI_Probe(other_, 1, comm_, &status));
    MPI_Get_count_c(&status, MPI_BYTE, &size);
    sent.resize(static_cast<std::size_t>(size));
    ASSERT_MPI_OK(MPI_Recv_c(sent.data(), size, MPI_BYTE, other_, 1, comm_, MPI_STATUS_IGNORE));
    ASSERT_EQ(sum(sent.data(), sent.size()), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, SendModes, testing::Values("copy", "cow", "auto"),
                         [](const auto& mode) { return std::string(mode.param); });

}  // namespace
