// Active messages: sizes, order, replies, threads, and what a slow receiver holds.
#include <mpix.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "support/ranks.hpp"

namespace {

int registered(MPI_Comm comm, MPIX_Am_handler* handler, void* state, int form = MPIX_AM_PROGRESS) {
  int index = -1;
  EXPECT_MPI_OK(MPIX_Am_register(comm, handler, state, form, &index));
  return index;
}

class Active : public testing::Test {
 protected:
  void SetUp() override {
    next_ = (ranks::rank() + 1) % ranks::count();
    previous_ = (ranks::rank() + ranks::count() - 1) % ranks::count();
  }
  void TearDown() override {
    MPI_Barrier(comm_);  // nobody has messages on their way: each test has waited for its own
  }
  const ranks::ReturningComm comm_;
  int next_ = 0, previous_ = 0;
};

// For who waits for it, in whatever thread.
void set(int& flag) { __atomic_store_n(&flag, 1, __ATOMIC_RELEASE); }

struct Seen {
  int wanted = 0;
  std::atomic<int> count{0};
  int source = -1;
  std::string wrong;
  int done = 0;
};

struct Label {
  std::uint32_t number;
  std::uint32_t size;
};

// Checks the bytes; small ones must come in order.
void check(const MPIX_Am_message* message, void* state) {
  auto& seen = *static_cast<Seen*>(state);
  Label label{};
  if (message->header_size == sizeof label) memcpy(&label, message->header, sizeof label);
  const bool right = message->header_size == sizeof label && message->size == label.size &&
                     label.number == static_cast<std::uint32_t>(seen.count) &&
                     ranks::first_difference(message->payload, label.number, label.size) == -1;
  if (!right) seen.wrong = "message " + std::to_string(seen.count);
  seen.source = message->source;
  if (++seen.count == seen.wanted) set(seen.done);
}

TEST_F(Active, SmallOnesComeInOrder) {
  Seen seen;
  seen.wanted = 2000;
  const int index = registered(comm_, check, &seen);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const std::uint32_t size = i % 7 == 0 ? i : i % 30;
    const auto bytes = ranks::pattern(i, size);
    const Label label{i, size};
    ASSERT_MPI_OK(MPIX_Am_send(comm_, next_, index, &label, sizeof label, bytes.data(), size));
  }
  ASSERT_MPI_OK(MPIX_Progress_until(&seen.done));
  EXPECT_EQ(seen.wrong, "");
  EXPECT_EQ(seen.source, previous_);
}

// A wait for a handler takes what it waits for from among messages of other kinds, and of other communicators.
TEST_F(Active, AmongOtherMessages) {
  constexpr int each = 500;
  const ranks::ReturningComm other;
  Seen here, there;
  here.wanted = there.wanted = each;
  const int index = registered(comm_, check, &here), other_index = registered(other, check, &there);
  for (std::uint32_t i = 0; i < each; ++i) {
    const Label label{i, 0};
    ASSERT_MPI_OK(MPI_Send(&i, 1, MPI_UINT32_T, next_, 3, comm_));
    ASSERT_MPI_OK(MPIX_Am_send(comm_, next_, index, &label, sizeof label, nullptr, 0));
    ASSERT_MPI_OK(MPIX_Am_send(other, next_, other_index, &label, sizeof label, nullptr, 0));
  }
  ASSERT_MPI_OK(MPIX_Progress_until(&there.done));
  ASSERT_MPI_OK(MPIX_Progress_until(&here.done));
  EXPECT_EQ(here.wrong, "");
  EXPECT_EQ(there.wrong, "");
  for (std::uint32_t i = 0, value = 0; i < each; ++i) {
    ASSERT_MPI_OK(MPI_Recv(&value, 1, MPI_UINT32_T, previous_, 3, comm_, MPI_STATUS_IGNORE));
    ASSERT_EQ(value, i);
  }
  MPI_Barrier(comm_);
}

TEST_F(Active, AllSizes) {
  for (std::uint32_t size : {0u, 1u, 24u, 25u, 8000u, 8192u, 8200u, 15'992u, 16'000u, 16'001u, 100'000u, 3'000'000u}) {
    Seen seen;
    seen.wanted = 1;
    const int index = registered(comm_, check, &seen);
    const auto bytes = ranks::pattern(0, size);
    const Label label{0, size};
    ASSERT_MPI_OK(MPIX_Am_send(comm_, ranks::rank(), index, &label, sizeof label, bytes.data(), size));
    ASSERT_MPI_OK(MPIX_Progress_until(&seen.done));
    EXPECT_EQ(seen.wrong, "") << size << " to itself";
    seen.count = seen.done = 0;
    MPI_Barrier(comm_);
    if (ranks::rank() == 0) {
      for (int to = 1; to < ranks::count(); ++to)
        ASSERT_MPI_OK(MPIX_Am_send(comm_, to, index, &label, sizeof label, bytes.data(), size));
    } else {
      ASSERT_MPI_OK(MPIX_Progress_until(&seen.done));
      EXPECT_EQ(seen.wrong, "") << size;
      EXPECT_EQ(seen.source, 0);
    }
    MPI_Barrier(comm_);
  }
}

// A server that answers, and clients that count the answers.
struct Server {
  int answer_index = -1;
  std::size_t answer_size = 0;
  std::atomic<int> answers{0};
  int wanted = 0, done = 0;
  bool wrong = false;
};

void request_arrived(const MPIX_Am_message* message, void* state) {
  auto& server = *static_cast<Server*>(state);
  const auto bytes = ranks::pattern(static_cast<std::uint64_t>(message->source), server.answer_size);
  EXPECT_MPI_OK(MPIX_Am_reply(message, server.answer_index, message->header, message->header_size, bytes.data(),
                              static_cast<MPI_Count>(bytes.size())));
}

void answer_arrived(const MPIX_Am_message* message, void* state) {
  auto& server = *static_cast<Server*>(state);
  if (ranks::first_difference(message->payload, static_cast<std::uint64_t>(ranks::rank()),
                              static_cast<std::size_t>(message->size)) != -1 ||
      static_cast<std::size_t>(message->size) != server.answer_size)
    server.wrong = true;
  if (++server.answers == server.wanted) set(server.done);
}

class Replies : public Active, public testing::WithParamInterface<std::tuple<int, int>> {};

TEST_P(Replies, ToManyRequestsAtOnce) {
  const auto [form, size] = GetParam();
  Server server;
  server.answer_size = static_cast<std::size_t>(size);
  server.wanted = size > 100'000 ? 5 : 1000;
  const int request = registered(comm_, request_arrived, &server, form);
  server.answer_index = registered(comm_, answer_arrived, &server);
  MPI_Barrier(comm_);
  for (int i = 0; i < server.wanted; ++i) ASSERT_MPI_OK(MPIX_Am_send(comm_, next_, request, &i, sizeof i, nullptr, 0));
  ASSERT_MPI_OK(MPIX_Progress_until(&server.done));
  EXPECT_FALSE(server.wrong);
  MPI_Barrier(comm_);  // others' requests, too, have been answered
}

INSTANTIATE_TEST_SUITE_P(Forms, Replies,
                         testing::Combine(testing::Values(MPIX_AM_PROGRESS, MPIX_AM_POOL, MPIX_AM_NEW_THREAD),
                                          testing::Values(8, 6000, 400'000)));

// A handler in a thread may block; each message of the third form has a thread of its own.
struct Meeting {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> inside{0};
  int most = 0, done = 0, handled = 0;
};

void meet(const MPIX_Am_message*, void* state) {
  auto& meeting = *static_cast<Meeting*>(state);
  const int inside = ++meeting.inside;
  {
    const std::lock_guard lock(meeting.mutex);
    meeting.threads.insert(std::this_thread::get_id());
    if (inside > meeting.most) meeting.most = inside;
  }
  // Nobody leaves before all are inside.
  while (meeting.inside < 20) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  bool last;
  {
    const std::lock_guard lock(meeting.mutex);
    last = ++meeting.handled == 20;
  }
  if (last) set(meeting.done);  // after which the meeting is gone
}

TEST_F(Active, AThreadForEachMessage) {
  Meeting meeting;
  const int index = registered(comm_, meet, &meeting, MPIX_AM_NEW_THREAD);
  for (int i = 0; i < 20; ++i) ASSERT_MPI_OK(MPIX_Am_send(comm_, next_, index, nullptr, 0, nullptr, 0));
  ASSERT_MPI_OK(MPIX_Progress_until(&meeting.done));
  EXPECT_EQ(meeting.most, 20);
  EXPECT_EQ(meeting.threads.size(), 20u);
  EXPECT_EQ(meeting.threads.count(std::this_thread::get_id()), 0u);
}

// A receiver whose threads are slow: what it holds is bounded, whatever is sent.
struct Slow {
  std::atomic<bool> open{false};
  std::atomic<int> handled{0};
  std::atomic<long> bytes{0};
  int done = 0;
};

void handle_slowly(const MPIX_Am_message* message, void* state) {
  auto& slow = *static_cast<Slow*>(state);
  while (!slow.open) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  slow.bytes += message->size;
  if (++slow.handled == 4000) set(slow.done);
}

TEST_F(Active, ASlowReceiverStopsItsSender) {
  NEED_RANKS(2);
  Slow slow;
  const int index = registered(comm_, handle_slowly, &slow, MPIX_AM_POOL);
  if (ranks::rank() == 0) {
    std::vector<char> bytes(4000);
    std::atomic<int> sent{0};
    // 16 MB, where 1 MiB may wait there.
    std::thread sender([&] {
      for (int i = 0; i < 4000; ++i, ++sent) MPIX_Am_send(comm_, 1, index, nullptr, 0, bytes.data(), 4000);
    });
    MPI_Recv(nullptr, 0, MPI_INT, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    const int before = sent;
    MPI_Recv(nullptr, 0, MPI_INT, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    EXPECT_LT(before, 1000);
    sender.join();
  } else if (ranks::rank() == 1) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    MPI_Ssend(nullptr, 0, MPI_INT, 0, 1, MPI_COMM_WORLD);  // it looks now
    MPI_Ssend(nullptr, 0, MPI_INT, 0, 1, MPI_COMM_WORLD);  // it has looked
    slow.open = true;
    ASSERT_MPI_OK(MPIX_Progress_until(&slow.done));
    EXPECT_EQ(slow.bytes, 4000L * 4000);
  }
}

TEST_F(Active, WrongArgumentsAreRefused) {
  Seen seen;
  const int index = registered(comm_, check, &seen);
  char bytes[300] = "";
  EXPECT_MPI_ERROR(MPIX_Am_send(comm_, next_, index + 1, nullptr, 0, nullptr, 0), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPIX_Am_send(comm_, next_, index, MPI_IN_PLACE, 4, nullptr, 0), MPI_ERR_BUFFER);
  EXPECT_MPI_ERROR(MPIX_Am_send(comm_, next_, index, nullptr, 0, MPI_IN_PLACE, 4), MPI_ERR_BUFFER);
  EXPECT_MPI_ERROR(MPIX_Am_send(comm_, next_, -1, nullptr, 0, nullptr, 0), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPIX_Am_send(comm_, next_, index, bytes, 256, nullptr, 0), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPIX_Am_send(comm_, next_, index, nullptr, 1, nullptr, 0), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPIX_Am_send(comm_, next_, index, bytes, 1, bytes, -1), MPI_ERR_COUNT);
  EXPECT_MPI_ERROR(MPIX_Am_send(comm_, 1000, index, bytes, 1, bytes, 1), MPI_ERR_RANK);
  EXPECT_MPI_OK(MPIX_Am_send(comm_, MPI_PROC_NULL, index, bytes, 1, bytes, 1));
  int ignored;
  EXPECT_MPI_ERROR(MPIX_Am_register(comm_, nullptr, nullptr, MPIX_AM_PROGRESS, &ignored), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPIX_Am_register(comm_, check, nullptr, 17, &ignored), MPI_ERR_ARG);
}

}  // namespace
