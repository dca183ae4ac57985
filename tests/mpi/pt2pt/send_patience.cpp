// Send mode `auto`: a send that began as `notify` is kept when its receiver does not come, so that nobody stands still who
// sends before he receives; and whatever is written into the buffer afterwards, the receiver gets the bytes as they were,
// also when it comes at that very moment.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <thread>

#include "support/ranks.hpp"

namespace {

constexpr std::size_t mebibyte = 1 << 20;
const std::vector<std::size_t> sizes{8, 5000, 16'001, 300'000, 3 * mebibyte + 5, 64 * mebibyte};

class Patience : public testing::Test {
 protected:
  void SetUp() override {
    if (ranks::foreign()) GTEST_SKIP() << "another library knows no send modes";
    NEED_RANKS(2);
    MPI_Info info;
    MPI_Info_create(&info);
    MPI_Info_set(info, "cow_send_mode", "auto");
    MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comm_);
    MPI_Info_free(&info);
    const int count = ranks::count();
    right_ = (ranks::rank() + 1) % count;
    left_ = (ranks::rank() + count - 1) % count;
  }
  void TearDown() override {
    if (comm_ != MPI_COMM_NULL) MPI_Comm_free(&comm_);
  }

  static std::vector<unsigned char> message(std::size_t size, int from, int number = 0) {
    return ranks::pattern(static_cast<std::uint64_t>(from + 100 * number), size);
  }
  void send(const void* buffer, std::size_t size, int tag = 1) {
    ASSERT_MPI_OK(MPI_Send_c(buffer, static_cast<MPI_Count>(size), MPI_BYTE, right_, tag, comm_));
  }
  void begin(const void* buffer, std::size_t size, int tag, MPI_Request* request) {
    ASSERT_MPI_OK(MPI_Isend_c(buffer, static_cast<MPI_Count>(size), MPI_BYTE, right_, tag, comm_, request));
  }
  void receive(std::size_t size, int tag = 1, int number = 0) {
    std::vector<unsigned char> in(size, 0xEE);
    ASSERT_MPI_OK(MPI_Recv_c(in.data(), static_cast<MPI_Count>(size), MPI_BYTE, left_, tag, comm_, MPI_STATUS_IGNORE));
    ASSERT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(left_ + 100 * number), size), -1);
  }

  // Receivers that wait already, and senders that wait for an answer: `auto` goes by `notify` afterwards.
  void get_used_to_answers(std::size_t size) {
    const auto out = message(size, ranks::rank());
    std::vector<unsigned char> in(size);
    for (int i = 0; i < 12; ++i) {
      MPI_Request request;
      ASSERT_MPI_OK(MPI_Irecv_c(in.data(), static_cast<MPI_Count>(size), MPI_BYTE, left_, 1, comm_, &request));
      MPI_Barrier(comm_);
      send(out.data(), size);
      ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    }
  }

  // Begins some sends that nobody receives before they are complete, as `complete` sees to.
  template <class Complete>
  void begin_some_and(Complete complete) {
    constexpr int count = 4;
    std::vector<std::vector<unsigned char>> out;
    MPI_Request requests[count];
    for (int i = 0; i < count; ++i) out.push_back(message(mebibyte + 7, ranks::rank(), i));
    for (int i = 0; i < count; ++i) begin(out[static_cast<std::size_t>(i)].data(), mebibyte + 7, i, &requests[i]);
    complete(count, requests);
    for (auto& buffer : out) memset(buffer.data(), 0xAA, buffer.size());
    for (const MPI_Request request : requests) EXPECT_EQ(request, MPI_REQUEST_NULL);
    for (int i = 0; i < count; ++i) receive(mebibyte + 7, i, i);
    MPI_Barrier(comm_);
  }

  MPI_Comm comm_ = MPI_COMM_NULL;
  int right_ = 0, left_ = 0;
};

TEST_F(Patience, AllSendBeforeTheyReceive) {
  for (const std::size_t size : sizes)
    for (int round = 0; round < 3; ++round) {
      if (round == 1) get_used_to_answers(std::min(size, 2 * mebibyte));
      auto out = message(size, ranks::rank());
      send(out.data(), size);
      memset(out.data(), 0xAA, size);
      MPI_Barrier(comm_);
      receive(size);
    }
}

TEST_F(Patience, SomeOfAllSizesOneAfterTheOther) {
  get_used_to_answers(mebibyte);
  const std::vector<std::size_t> some(sizes.begin(), sizes.end() - 1);
  for (int number = 0; const std::size_t size : some) {
    auto out = message(size, ranks::rank(), number++);
    send(out.data(), size);
    memset(out.data(), 0xAA, size);
  }
  for (int number = 0; const std::size_t size : some) receive(size, 1, number++);
}

TEST_F(Patience, MoreSmallMessagesThanTheReceiverTakesIn) {
  constexpr int count = 3000;  // 12 MiB, where a sender may pile up 1 MiB
  for (int i = 0; i < count; ++i) {
    auto out = message(4096, ranks::rank(), i);
    if (i % 2 == 0) {
      send(out.data(), out.size());
    } else {
      MPI_Request request;
      begin(out.data(), out.size(), 1, &request);
      ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    }
    memset(out.data(), 0, out.size());
  }
  for (int i = 0; i < count; ++i) receive(4096, 1, i);
}

TEST_F(Patience, WaitAndItsFamily) {
  begin_some_and([](int count, MPI_Request* requests) {
    for (int i = 0; i < count; ++i) ASSERT_MPI_OK(MPI_Wait(&requests[i], MPI_STATUS_IGNORE));
  });
  begin_some_and(
      [](int count, MPI_Request* requests) { ASSERT_MPI_OK(MPI_Waitall(count, requests, MPI_STATUSES_IGNORE)); });
  begin_some_and([](int count, MPI_Request* requests) {
    for (int i = 0, index; i < count; ++i) ASSERT_MPI_OK(MPI_Waitany(count, requests, &index, MPI_STATUS_IGNORE));
  });
  begin_some_and([](int count, MPI_Request* requests) {
    for (int done = 0, some, indices[8]; done < count; done += some)
      ASSERT_MPI_OK(MPI_Waitsome(count, requests, &some, indices, MPI_STATUSES_IGNORE));
  });
}

TEST_F(Patience, TestAndItsFamily) {
  begin_some_and([](int count, MPI_Request* requests) {
    for (int i = 0; i < count; ++i)
      for (int done = 0; !done;) ASSERT_MPI_OK(MPI_Test(&requests[i], &done, MPI_STATUS_IGNORE));
  });
  begin_some_and([](int count, MPI_Request* requests) {
    for (int done = 0; !done;) ASSERT_MPI_OK(MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE));
  });
  begin_some_and([](int count, MPI_Request* requests) {
    for (int i = 0, index, done; i < count; i += done)
      ASSERT_MPI_OK(MPI_Testany(count, requests, &index, &done, MPI_STATUS_IGNORE));
  });
  begin_some_and([](int count, MPI_Request* requests) {
    for (int done = 0, some, indices[8]; done < count; done += some)
      ASSERT_MPI_OK(MPI_Testsome(count, requests, &some, indices, MPI_STATUSES_IGNORE));
  });
  begin_some_and([](int count, MPI_Request* requests) {
    for (int done = 0; !done;) ASSERT_MPI_OK(MPI_Request_get_status(requests[0], &done, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Waitall(count, requests, MPI_STATUSES_IGNORE));
  });
}

TEST_F(Patience, PersistentSends) {
  std::vector<unsigned char> out(2 * mebibyte);
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Send_init(out.data(), static_cast<int>(out.size()), MPI_BYTE, right_, 1, comm_, &request));
  for (int round = 0; round < 3; ++round) {
    const auto bytes = message(out.size(), ranks::rank(), round);
    memcpy(out.data(), bytes.data(), out.size());
    ASSERT_MPI_OK(MPI_Start(&request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  }
  ASSERT_MPI_OK(MPI_Request_free(&request));
  memset(out.data(), 0xAA, out.size());
  for (int round = 0; round < 3; ++round) receive(out.size(), 1, round);
}

// What a snapshot does not keep.
TEST_F(Patience, SharedMemoryAndMemoryWithheldFromChildren) {
  get_used_to_answers(mebibyte);
  const std::size_t size = 2 * mebibyte;
  for (const bool shared : {true, false}) {
    void* out = mmap(nullptr, size, PROT_READ | PROT_WRITE, (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(out, MAP_FAILED);
    if (!shared) madvise(out, size, MADV_DONTFORK);
    memcpy(out, message(size, ranks::rank()).data(), size);
    send(out, size);
    munmap(out, size);
    MPI_Barrier(comm_);
    receive(size);
  }
}

TEST_F(Patience, DataWithHoles) {
  for (const int blocks : {30, 1000, 600'000}) {
    const auto bytes = message(static_cast<std::size_t>(blocks) * 5, ranks::rank());
    std::vector<unsigned char> out(static_cast<std::size_t>(blocks) * 8);
    for (std::size_t i = 0; i < static_cast<std::size_t>(blocks); ++i) memcpy(&out[8 * i], &bytes[5 * i], 5);
    MPI_Datatype type;
    MPI_Type_vector(blocks, 5, 8, MPI_BYTE, &type);
    MPI_Type_commit(&type);
    ASSERT_MPI_OK(MPI_Send(out.data(), 1, type, right_, 1, comm_));
    MPI_Type_free(&type);
    memset(out.data(), 0xAA, out.size());
    MPI_Barrier(comm_);
    receive(bytes.size());
  }
}

TEST_F(Patience, ToOneself) {
  right_ = left_ = ranks::rank();
  for (const std::size_t size : sizes) {
    auto out = message(size, ranks::rank());
    MPI_Request request;
    begin(out.data(), size, 1, &request);
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    memset(out.data(), 0xAA, size);
    receive(size);
  }
}

// Whoever also misses a message gets it, and nothing is kept in vain; but a send alone is not waited for any longer.
TEST_F(Patience, SendsAmongReceives) {
  const std::size_t size = 3 * mebibyte;
  auto out = message(size, ranks::rank());
  std::vector<unsigned char> in(size);
  MPI_Request requests[2];
  for (int round = 0; round < 4; ++round) {
    memcpy(out.data(), message(size, ranks::rank(), round).data(), size);
    ASSERT_MPI_OK(MPI_Irecv(in.data(), static_cast<int>(size), MPI_BYTE, left_, 1, comm_, &requests[0]));
    begin(out.data(), size, 1, &requests[1]);
    ASSERT_MPI_OK(MPI_Waitall(2, requests, MPI_STATUSES_IGNORE));
    memset(out.data(), 0xAA, size);
    ASSERT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(left_ + 100 * round), size), -1);
    memcpy(out.data(), message(size, ranks::rank(), round).data(), size);
    ASSERT_MPI_OK(MPI_Sendrecv(out.data(), static_cast<int>(size), MPI_BYTE, right_, 2, in.data(),
                               static_cast<int>(size), MPI_BYTE, left_, 2, comm_, MPI_STATUS_IGNORE));
    ASSERT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(left_ + 100 * round), size), -1);
  }
}

// The receiver comes at any moment: before the message is kept, while it is, afterwards.
TEST_F(Patience, AReceiverThatComesWhileTheMessageIsKept) {
  constexpr int rounds = 150;
  std::minstd_rand random(static_cast<unsigned>(ranks::rank()) + 1);
  std::vector<unsigned char> out(4 * mebibyte);
  for (int round = 0; round < rounds; ++round) {
    const std::size_t size = round % 3 == 0 ? 100'000 : round % 3 == 1 ? mebibyte : out.size();
    memcpy(out.data(), message(size, ranks::rank(), round).data(), size);
    MPI_Barrier(comm_);
    if (ranks::rank() == 0) {
      MPI_Request request;
      begin(out.data(), size, 1, &request);
      ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
      memset(out.data(), 0xAA, size);
    } else if (ranks::rank() == 1) {
      usleep(random() % (size / 400 + 200));
      receive(size, 1, round);
    }
  }
}

class PatienceThreads : public Patience {};

// One thread sleeps until a message comes; the other sends, and nobody receives.
TEST_F(PatienceThreads, OneThatSleepsDoesNotKeepAnotherFromGoingOn) {
  int level;
  MPI_Query_thread(&level);
  if (level != MPI_THREAD_MULTIPLE) GTEST_SKIP() << "needs MPI_THREAD_MULTIPLE";
  get_used_to_answers(mebibyte);
  std::thread sleeper([&] {
    char byte;
    MPI_Recv(&byte, 1, MPI_BYTE, left_, 7, comm_, MPI_STATUS_IGNORE);
  });
  usleep(50'000);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::thread> senders;
    for (int tag = 1; tag <= 2; ++tag)
      senders.emplace_back([&, tag] {
        auto out = message(5 * mebibyte, ranks::rank(), tag);
        send(out.data(), out.size(), tag);
        memset(out.data(), 0xAA, out.size());
      });
    for (std::thread& each : senders) each.join();
    MPI_Barrier(comm_);
    for (int tag = 1; tag <= 2; ++tag) receive(5 * mebibyte, tag, tag);
  }
  MPI_Send("", 1, MPI_BYTE, right_, 7, comm_);
  sleeper.join();
}

class PatienceLimited : public Patience {};

// With room for 3 MiB (see CMakeLists.txt): one message is kept, the others wait until the receiver has come.
TEST_F(PatienceLimited, WithoutRoomItWaits) {
  const std::size_t size = 2 * mebibyte;
  constexpr int count = 4;
  if (ranks::rank() == 0) {
    auto* out =
        static_cast<unsigned char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(out, MAP_FAILED);
    for (int i = 0; i < count; ++i) {
      memcpy(out, message(size, 0, i).data(), size);
      send(out, size);
      memset(out, 0xAA, size);
    }
    munmap(out, size);
  } else if (ranks::rank() == 1) {
    usleep(300'000);
    for (int i = 0; i < count; ++i) receive(size, 1, i);
  }
}

}  // namespace
