// Send modes of single calls, of persistent sends, and of communicators as they change and are duplicated.
#include <mpix.h>

#include <cstring>

#include "support/ranks.hpp"

namespace {

constexpr int mebibyte = 1 << 20;
constexpr int size = 2 * mebibyte;

MPI_Info make_info(const char* mode) {
  MPI_Info info;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_send_mode", mode);
  return info;
}

class Modes : public testing::Test {
 protected:
  void SetUp() override {
    NEED_RANKS(2);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
    other_ = ranks::rank() ^ 1;
    key_ = static_cast<std::uint64_t>(ranks::rank());
  }
  void TearDown() override {
    if (comm_ != MPI_COMM_NULL) MPI_Comm_free(&comm_);
  }

  void set_mode(MPI_Comm comm, const char* mode) {
    MPI_Info info = make_info(mode);
    ASSERT_MPI_OK(MPI_Comm_set_info(comm, info));
    MPI_Info_free(&info);
  }

  // Whether a large send that nobody receives yet is complete at once on the communicator.
  bool gives_back_at_once(MPI_Comm comm, int mode = MPIX_SEND_OF_COMM) {
    std::vector<unsigned char> out = ranks::pattern(key_, size), in(out.size());
    MPI_Request request;
    int complete = 0;
    EXPECT_MPI_OK(MPIX_Isend_mode(out.data(), size, MPI_BYTE, other_, 1, comm, mode, &request));
    EXPECT_MPI_OK(MPI_Test(&request, &complete, MPI_STATUS_IGNORE));
    if (complete) memset(out.data(), 0, out.size());
    MPI_Barrier(comm);
    EXPECT_MPI_OK(MPI_Recv(in.data(), size, MPI_BYTE, other_, 1, comm, MPI_STATUS_IGNORE));
    EXPECT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EXPECT_EQ(ranks::first_difference(in.data(), key_ ^ 1, in.size()), -1);
    return complete;
  }

  MPI_Comm comm_ = MPI_COMM_NULL;
  int other_ = 0;
  std::uint64_t key_ = 0;
};

TEST_F(Modes, OfOneCall) {
  EXPECT_FALSE(gives_back_at_once(comm_, MPIX_SEND_NOTIFY));
  EXPECT_TRUE(gives_back_at_once(comm_, MPIX_SEND_COPY));
  EXPECT_TRUE(gives_back_at_once(comm_, MPIX_SEND_COW));
}

TEST_F(Modes, OfOneBlockingCall) {
  for (int mode : {MPIX_SEND_COPY, MPIX_SEND_COW}) {
    std::vector<unsigned char> out = ranks::pattern(key_, size), in(out.size());
    ASSERT_MPI_OK(MPIX_Send_mode(out.data(), size, MPI_BYTE, other_, 1, comm_, mode));
    out.assign(out.size(), 0);
    MPI_Barrier(comm_);
    ASSERT_MPI_OK(MPI_Recv(in.data(), size, MPI_BYTE, other_, 1, comm_, MPI_STATUS_IGNORE));
    EXPECT_EQ(ranks::first_difference(in.data(), key_ ^ 1, in.size()), -1);
  }
}

TEST_F(Modes, OfTheJobIsOfCommunicatorsThatSayNothing) {
  const char* job = getenv("COW_SEND_MODE");
  EXPECT_EQ(gives_back_at_once(comm_), job != nullptr);
  EXPECT_FALSE(gives_back_at_once(comm_, MPIX_SEND_NOTIFY));
}

TEST_F(Modes, OfCommChangesAndIsInherited) {
  for (const char* mode : {"cow", "notify", "copy"}) {
    set_mode(comm_, mode);
    const bool expected = strcmp(mode, "notify") != 0;
    EXPECT_EQ(gives_back_at_once(comm_), expected) << mode;
    MPI_Comm copy;
    MPI_Request request;
    MPI_Comm_dup(comm_, &copy);
    EXPECT_EQ(gives_back_at_once(copy), expected) << mode << ", duplicated";
    MPI_Comm_free(&copy);
    MPI_Comm_idup(comm_, &copy, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    EXPECT_EQ(gives_back_at_once(copy), expected) << mode << ", duplicated meanwhile";
    MPI_Info info;
    char value[MPI_MAX_INFO_VAL + 1] = "";
    int length = sizeof value, found = 0;
    MPI_Comm_get_info(copy, &info);
    MPI_Info_get_string(info, "cow_send_mode", &length, value, &found);
    MPI_Info_free(&info);
    EXPECT_STREQ(value, mode);
    // The copy is changed, not what it was made of.
    set_mode(copy, expected ? "notify" : "copy");
    EXPECT_EQ(gives_back_at_once(copy), !expected);
    EXPECT_EQ(gives_back_at_once(comm_), expected);
    MPI_Comm_free(&copy);
  }
}

// All that are started by one call share one snapshot, and are started again with other bytes.
TEST_F(Modes, PersistentSendsStartedTogether) {
  constexpr int count = 6;
  std::vector<std::vector<unsigned char>> out(count);
  MPI_Request requests[count];
  for (int i = 0; i < count; ++i) {
    out[static_cast<std::size_t>(i)].resize(size);
    ASSERT_MPI_OK(MPIX_Send_init_mode(out[static_cast<std::size_t>(i)].data(), size, MPI_BYTE, other_, i, comm_,
                                      i % 3 == 2 ? MPIX_SEND_COPY : MPIX_SEND_COW, &requests[i]));
  }
  for (std::uint64_t round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto bytes = ranks::pattern(key_ + 10 * i + 1000 * round, size);
      memcpy(out[i].data(), bytes.data(), bytes.size());
    }
    ASSERT_MPI_OK(MPI_Startall(count, requests));
    for (auto& buffer : out) memset(buffer.data(), 0xAA, buffer.size());
    int complete = 0;
    ASSERT_MPI_OK(MPI_Testall(count, requests, &complete, MPI_STATUSES_IGNORE));
    EXPECT_TRUE(complete);
  }
  MPI_Barrier(comm_);
  std::vector<unsigned char> in(size);
  for (std::uint64_t round = 0; round < 2; ++round)
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_MPI_OK(MPI_Recv(in.data(), size, MPI_BYTE, other_, static_cast<int>(i), comm_, MPI_STATUS_IGNORE));
      EXPECT_EQ(ranks::first_difference(in.data(), (key_ ^ 1) + 10 * i + 1000 * round, size), -1);
    }
  for (MPI_Request& request : requests) MPI_Request_free(&request);
}

// What it chooses is its own; the bytes are right, and a send that is begun goes by completion.
TEST_F(Modes, ChosenByCost) {
  set_mode(comm_, "auto");
  EXPECT_FALSE(gives_back_at_once(comm_));
  for (int round = 0; round < 6; ++round)
    for (int bytes : {100, 20'000, 300'000, 2 * mebibyte}) {
      std::vector<unsigned char> out = ranks::pattern(key_, static_cast<std::size_t>(bytes)), in(out.size());
      const auto send = [&] {
        ASSERT_MPI_OK(MPIX_Send_mode(out.data(), bytes, MPI_BYTE, other_, 1, comm_, MPIX_SEND_AUTO));
        memset(out.data(), 0xAA, out.size());
      };
      const auto receive = [&] {
        ASSERT_MPI_OK(MPI_Recv(in.data(), bytes, MPI_BYTE, other_, 1, comm_, MPI_STATUS_IGNORE));
        EXPECT_EQ(ranks::first_difference(in.data(), key_ ^ 1, in.size()), -1);
      };
      // One sends first: a choice may be to wait.
      ranks::rank() == 0 ? (send(), receive()) : (receive(), send());
    }
}

// With room for 3 MiB: see CMakeLists.txt. Messages of 2 MiB are sent before anybody receives.
class Limited : public Modes {
 protected:
  static constexpr int count = 5;

  // Which of the sends were complete at once. `write`: each such buffer is written again before the next send.
  std::vector<bool> send_all(int mode, bool write) {
    std::vector<std::vector<unsigned char>> out;
    MPI_Request requests[count];
    std::vector<bool> complete;
    for (std::uint64_t i = 0; i < count; ++i) out.push_back(ranks::pattern(key_ + 10 * i, size));
    for (int i = 0; i < count; ++i) {
      auto& buffer = out[static_cast<std::size_t>(i)];
      int done = 0;
      EXPECT_MPI_OK(MPIX_Isend_mode(buffer.data(), size, MPI_BYTE, other_, i, comm_, mode, &requests[i]));
      EXPECT_MPI_OK(MPI_Test(&requests[i], &done, MPI_STATUS_IGNORE));
      if (done && write) buffer.assign(size, 0xAA);
      complete.push_back(done);
    }
    MPI_Barrier(comm_);
    receive_all();
    EXPECT_MPI_OK(MPI_Waitall(count, requests, MPI_STATUSES_IGNORE));
    settle();
    return complete;
  }

  // The answer to a synchronous send comes after all that the other has answered before: nothing is kept here any more.
  void settle() {
    char byte = 0;
    MPI_Request request;
    ASSERT_MPI_OK(MPI_Issend(nullptr, 0, MPI_BYTE, other_, count, comm_, &request));
    ASSERT_MPI_OK(MPI_Recv(&byte, 0, MPI_BYTE, other_, count, comm_, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  }

  void receive_all() {
    std::vector<unsigned char> in(size);
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_MPI_OK(MPI_Recv(in.data(), size, MPI_BYTE, other_, static_cast<int>(i), comm_, MPI_STATUS_IGNORE));
      EXPECT_EQ(ranks::first_difference(in.data(), (key_ ^ 1) + 10 * i, in.size()), -1) << "message " << i;
    }
  }
};

TEST_F(Limited, CopiesThatDoNotFitWait) {
  EXPECT_EQ(send_all(MPIX_SEND_COPY, true), (std::vector<bool>{true, false, false, false, false}));
}

// The second does not fit if the program writes all that it keeps, which cannot be known; the third finds that it did.
TEST_F(Limited, SnapshotsOfWhatIsWrittenWait) {
  EXPECT_EQ(send_all(MPIX_SEND_COW, true), (std::vector<bool>{true, true, false, false, false}));
}

TEST_F(Limited, SnapshotsOfWhatIsNotWrittenTakeNoRoom) {
  EXPECT_EQ(send_all(MPIX_SEND_COW, false), std::vector<bool>(count, true));
}

TEST_F(Modes, WrongArgumentsAreRefused) {
  char byte = 0;
  MPI_Request request;
  EXPECT_MPI_ERROR(MPIX_Send_mode(&byte, 1, MPI_BYTE, other_, 0, comm_, 99), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPIX_Send_mode(&byte, -1, MPI_BYTE, other_, 0, comm_, MPIX_SEND_COW), MPI_ERR_COUNT);
  EXPECT_MPI_ERROR(MPIX_Isend_mode(&byte, 1, MPI_BYTE, 77, 0, comm_, MPIX_SEND_COW, &request), MPI_ERR_RANK);
  EXPECT_MPI_ERROR(MPIX_Isend_mode(&byte, 1, MPI_BYTE, other_, -5, comm_, MPIX_SEND_COW, &request), MPI_ERR_TAG);
  EXPECT_MPI_ERROR(MPIX_Send_init_mode(&byte, 1, MPI_DATATYPE_NULL, other_, 0, comm_, MPIX_SEND_COW, &request),
                   MPI_ERR_TYPE);
  EXPECT_MPI_ERROR(MPIX_Isend_mode(&byte, 1, MPI_BYTE, other_, 0, comm_, MPIX_SEND_COW, nullptr), MPI_ERR_ARG);
  EXPECT_NE(ranks::error_text(MPIX_Send_mode(&byte, 1, MPI_BYTE, other_, 0, comm_, 99)).find("MPIX_Send_mode"),
            std::string::npos);
}

}  // namespace
