// A flood of small messages to a rank that sleeps: memory stays bounded at both ends, and everything arrives in order.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "support/ranks.hpp"

namespace {

constexpr int flood = 100'000;
constexpr int message_size = 512;
// The messages are 49 MiB together. What one side may keep of them: the window of each sender at the receiver
// (COW_EAGER_WINDOW), the requests of the program, and room for the allocator.
constexpr double most_growth = 24;

double resident_mebibytes() {
  FILE* status = fopen("/proc/self/status", "r");
  char line[256];
  double value = -1;
  while (status && fgets(line, sizeof line, status))
    if (strncmp(line, "VmRSS:", 6) == 0) value = atof(line + 6) / 1024;
  if (status) fclose(status);
  return value;
}

void fill(unsigned char* message, int number) {
  memset(message, number & 0xFF, message_size);
  memcpy(message, &number, sizeof number);
}

// The first exchange allocates what the pair needs; only growth after it counts.
void warm_up() {
  int token = 0;
  for (int peer = 1; peer < ranks::count(); ++peer) {
    if (ranks::rank() == 0) MPI_Recv(&token, 1, MPI_INT, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (ranks::rank() == peer) MPI_Send(&token, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

void drain_in_order(int senders, double before) {
  std::vector<int> next(static_cast<std::size_t>(senders) + 1, 0);
  unsigned char in[message_size];
  double most = 0;
  for (int i = 0; i < flood / senders * senders; ++i) {
    MPI_Status status;
    ASSERT_MPI_OK(MPI_Recv(in, message_size, MPI_BYTE, MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &status));
    int number = -1;
    memcpy(&number, in, sizeof number);
    ASSERT_EQ(number, next.at(static_cast<std::size_t>(status.MPI_SOURCE))++) << "from rank " << status.MPI_SOURCE;
    ASSERT_EQ(in[message_size - 1], number & 0xFF);
    if (i % 5'000 == 0) most = std::max(most, resident_mebibytes());
  }
  if (!ranks::foreign()) {
    EXPECT_LT(most - before, most_growth) << "MiB more at the receiver";
  }
}

TEST(Flood, BlockingSendsToASleepingRank) {
  NEED_RANKS(2);
  warm_up();
  const int senders = ranks::count() - 1;
  const double before = resident_mebibytes();
  if (ranks::rank() == 0) {
    usleep(1'000'000);
    const double asleep = resident_mebibytes();
    if (!ranks::foreign()) {
      EXPECT_LT(asleep - before, most_growth) << "MiB more while asleep";
    }
    drain_in_order(senders, before);
  } else {
    unsigned char out[message_size];
    for (int i = 0; i < flood / senders; ++i) {
      fill(out, i);
      ASSERT_MPI_OK(MPI_Send(out, message_size, MPI_BYTE, 0, 1, MPI_COMM_WORLD));
    }
    if (!ranks::foreign()) {
      EXPECT_LT(resident_mebibytes() - before, most_growth) << "MiB more at the sender";
    }
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

// Nonblocking ones: a window of requests that is far larger than what the receiver lets through.
TEST(Flood, NonblockingSendsToASleepingRank) {
  NEED_RANKS(2);
  const int senders = ranks::count() - 1;
  const double before = resident_mebibytes();
  constexpr int window = 10'000;
  if (ranks::rank() == 0) {
    usleep(300'000);
    drain_in_order(senders, before);
  } else {
    std::vector<unsigned char> out(static_cast<std::size_t>(window) * message_size);
    std::vector<MPI_Request> requests;
    for (int i = 0; i < flood / senders; ++i) {
      unsigned char* slot = out.data() + requests.size() * message_size;
      fill(slot, i);
      requests.emplace_back();
      ASSERT_MPI_OK(MPI_Isend(slot, message_size, MPI_BYTE, 0, 1, MPI_COMM_WORLD, &requests.back()));
      if (static_cast<int>(requests.size()) < window && i + 1 < flood / senders) continue;
      ASSERT_MPI_OK(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE));
      requests.clear();
    }
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

// Both sides flood each other and receive only afterwards: credits must not lock them against each other.
TEST(Flood, BothWaysNonblocking) {
  NEED_RANKS(2);
  if (ranks::rank() > 1) return;
  constexpr int messages = 20'000;
  const int peer = 1 - ranks::rank();
  std::vector<int> out(messages), in(messages, -1);
  std::vector<MPI_Request> requests(messages);
  for (int i = 0; i < messages; ++i) {
    out.at(i) = i;
    ASSERT_MPI_OK(MPI_Isend(&out.at(i), 1, MPI_INT, peer, 2, MPI_COMM_WORLD, &requests.at(i)));
  }
  for (int i = 0; i < messages; ++i)
    ASSERT_MPI_OK(MPI_Recv(&in.at(i), 1, MPI_INT, peer, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Waitall(messages, requests.data(), MPI_STATUSES_IGNORE));
  EXPECT_EQ(in, out);
}

// Offers of large messages are held back like small ones.
TEST(Flood, ManyLargeOffers) {
  NEED_RANKS(2);
  if (ranks::rank() > 1) return;
  constexpr int messages = 2'000, size = 40'000;
  const auto out = ranks::pattern(3, size);
  if (ranks::rank() == 0) {
    std::vector<MPI_Request> requests(messages);
    for (int i = 0; i < messages; ++i)
      ASSERT_MPI_OK(MPI_Isend(out.data(), size, MPI_BYTE, 1, i, MPI_COMM_WORLD, &requests.at(i)));
    ASSERT_MPI_OK(MPI_Waitall(messages, requests.data(), MPI_STATUSES_IGNORE));
  } else {
    usleep(200'000);
    std::vector<unsigned char> in(size);
    for (int i = 0; i < messages; ++i) {
      MPI_Status status;
      ASSERT_MPI_OK(MPI_Recv(in.data(), size, MPI_BYTE, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status));
      ASSERT_EQ(status.MPI_TAG, i);
    }
    EXPECT_EQ(ranks::first_difference(in.data(), 3, size), -1);
  }
}

}  // namespace
