// Every form of sending delivers the same bytes to the same place.
#include "support/ranks.hpp"

namespace {

using Send = int (*)(const void*, int, int, int, MPI_Comm);

int wait_for(MPI_Request& request) { return MPI_Wait(&request, MPI_STATUS_IGNORE); }

template <int (*Start)(const void*, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request*)>
int nonblocking(const void* data, int size, int peer, int tag, MPI_Comm comm) {
  MPI_Request request;
  const int code = Start(data, size, MPI_BYTE, peer, tag, comm, &request);
  return code != MPI_SUCCESS ? code : wait_for(request);
}

template <int (*Blocking)(const void*, int, MPI_Datatype, int, int, MPI_Comm)>
int blocking(const void* data, int size, int peer, int tag, MPI_Comm comm) {
  return Blocking(data, size, MPI_BYTE, peer, tag, comm);
}

struct Mode {
  const char* name;
  Send send;
  bool ready;  // the receive must be posted before the send starts
};

constexpr Mode modes[] = {
    {"Send", blocking<MPI_Send>, false},        {"Ssend", blocking<MPI_Ssend>, false},
    {"Bsend", blocking<MPI_Bsend>, false},      {"Rsend", blocking<MPI_Rsend>, true},
    {"Isend", nonblocking<MPI_Isend>, false},   {"Issend", nonblocking<MPI_Issend>, false},
    {"Ibsend", nonblocking<MPI_Ibsend>, false}, {"Irsend", nonblocking<MPI_Irsend>, true},
};

class Modes : public testing::Test {
 protected:
  static constexpr int largest = 200'000;
  void SetUp() override {
    room_.resize(24 * (largest + MPI_BSEND_OVERHEAD));  // for all that one test may have on the way
    EXPECT_MPI_OK(MPI_Buffer_attach(room_.data(), static_cast<int>(room_.size())));
  }
  void TearDown() override {
    void* given = nullptr;
    int size = 0;
    EXPECT_MPI_OK(MPI_Buffer_detach(&given, &size));
    EXPECT_EQ(given, room_.data());
    EXPECT_EQ(size, static_cast<int>(room_.size()));
  }
  std::vector<unsigned char> room_;
};

// Round a ring: everyone sends to the next one. Ready modes first hear from the receiver that it has posted.
TEST_F(Modes, EachDeliversRoundARing) {
  auto random = ranks::shared_random(1);
  const int n = ranks::count(), me = ranks::rank();
  const int next = (me + 1) % n, previous = (me + n - 1) % n;
  for (const Mode& mode : modes) {
    SCOPED_TRACE(mode.name);
    for (int round = 0; round < 12; ++round) {
      const int size = static_cast<int>(ranks::pick_size(random, largest)), tag = ranks::pick(random, 0, 30'000);
      const auto out = ranks::pattern(static_cast<std::uint64_t>(me * 100 + round), static_cast<std::size_t>(size));
      std::vector<unsigned char> in(static_cast<std::size_t>(size) + 1, 0xEE);
      MPI_Request request;
      ASSERT_MPI_OK(MPI_Irecv(in.data(), size, MPI_BYTE, previous, tag, MPI_COMM_WORLD, &request));
      if (mode.ready) {
        MPI_Request said;
        ASSERT_MPI_OK(MPI_Isend(nullptr, 0, MPI_BYTE, previous, 31'000, MPI_COMM_WORLD, &said));
        ASSERT_MPI_OK(MPI_Recv(nullptr, 0, MPI_BYTE, next, 31'000, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        ASSERT_MPI_OK(wait_for(said));
      }
      ASSERT_MPI_OK(mode.send(out.data(), size, next, tag, MPI_COMM_WORLD));
      MPI_Status status;
      ASSERT_MPI_OK(MPI_Wait(&request, &status));
      int count = -1;
      ASSERT_MPI_OK(MPI_Get_count(&status, MPI_BYTE, &count));
      EXPECT_EQ(count, size);
      EXPECT_EQ(status.MPI_SOURCE, previous);
      EXPECT_EQ(status.MPI_TAG, tag);
      EXPECT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(previous * 100 + round), in.size() - 1),
                -1)
          << "size " << size;
      EXPECT_EQ(in.back(), 0xEE) << "wrote past the message of " << size << " bytes";
    }
  }
}

// A synchronous send is not over before its receive has started.
TEST_F(Modes, SynchronousSendWaitsForItsReceive) {
  NEED_RANKS(2);
  if (ranks::rank() == 0) {
    MPI_Request request;
    int flag = -1;
    ASSERT_MPI_OK(MPI_Issend("x", 1, MPI_CHAR, 1, 5, MPI_COMM_WORLD, &request));
    for (int i = 0; i < 200; ++i) {
      ASSERT_MPI_OK(MPI_Test(&request, &flag, MPI_STATUS_IGNORE));
      ASSERT_EQ(flag, 0) << "completed though rank 1 has not been asked to receive";
    }
    ASSERT_MPI_OK(MPI_Send(nullptr, 0, MPI_CHAR, 1, 6, MPI_COMM_WORLD));
    ASSERT_MPI_OK(wait_for(request));
  } else if (ranks::rank() == 1) {
    char got = 0;
    ASSERT_MPI_OK(MPI_Recv(nullptr, 0, MPI_CHAR, 0, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Recv(&got, 1, MPI_CHAR, 0, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    EXPECT_EQ(got, 'x');
  }
}

// A buffered send completes though nobody receives; the bytes wait in the attached buffer, or on the way.
TEST_F(Modes, BufferedSendDoesNotWait) {
  const int n = ranks::count(), me = ranks::rank();
  const auto out = ranks::pattern(static_cast<std::uint64_t>(me), largest);
  std::vector<unsigned char> in(largest);
  auto copy = out;
  ASSERT_MPI_OK(MPI_Bsend(copy.data(), largest, MPI_BYTE, (me + 1) % n, 9, MPI_COMM_WORLD));
  std::fill(copy.begin(), copy.end(), 0);
  const int previous = (me + n - 1) % n;
  ASSERT_MPI_OK(MPI_Recv(in.data(), largest, MPI_BYTE, previous, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
  EXPECT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(previous), largest), -1);
}

// Detaching waits until all buffered messages have left: the space is whole again, and more passes through than fits.
TEST_F(Modes, DetachWaitsForTheMessages) {
  const int n = ranks::count(), me = ranks::rank(), size = largest / 2;
  void* given = nullptr;
  int room = 0;
  ASSERT_MPI_OK(MPI_Buffer_detach(&given, &room));
  ASSERT_MPI_OK(MPI_Buffer_attach(given, largest));
  std::vector<unsigned char> in(static_cast<std::size_t>(size));
  for (int round = 0; round < 10; ++round) {
    const auto out = ranks::pattern(static_cast<std::uint64_t>(me + round), static_cast<std::size_t>(size));
    ASSERT_MPI_OK(MPI_Bsend(out.data(), size, MPI_BYTE, (me + 1) % n, 9, MPI_COMM_WORLD));
    const int previous = (me + n - 1) % n;
    ASSERT_MPI_OK(MPI_Recv(in.data(), size, MPI_BYTE, previous, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    EXPECT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(previous + round), in.size()), -1);
    ASSERT_MPI_OK(MPI_Buffer_detach(&given, &room));
    ASSERT_MPI_OK(MPI_Buffer_attach(given, round == 9 ? static_cast<int>(room_.size()) : largest));
  }
}

TEST(BsendWithoutRoom, IsAnError) {
  const ranks::ReturningComm comm;
  std::vector<char> room(1'000 + MPI_BSEND_OVERHEAD), out(100'000);
  ASSERT_MPI_OK(MPI_Buffer_attach(room.data(), static_cast<int>(room.size())));
  EXPECT_MPI_ERROR(MPI_Bsend(out.data(), 100'000, MPI_BYTE, ranks::rank(), 1, comm), MPI_ERR_BUFFER);
  void* given = nullptr;
  int size = 0;
  ASSERT_MPI_OK(MPI_Buffer_detach(&given, &size));
}

}  // namespace
