// The lines of ranks to their agent, without ranks: this process is the agent, and says what ranks would.
#include "launcher/agent/rank_lines.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Heard {
  AgentHeader header{};
  std::string payload;
  AgentStatus status() const { return static_cast<AgentStatus>(header.number); }
};

class RankLinesTest : public testing::Test, protected PmixClientEvents {
 protected:
  RankLinesTest() {
    job_.name = "job";
    job_.key = std::string(32, 'k');
    job_.nodes = {"a", "b"};
    job_.node = 1;
    job_.ranks = {{0, 0, 0}, {1, 0, 0}, {1, 0, 1}};  // ranks 1 and 2 are here
    EXPECT_EQ(inheritance_.open(job_.key, 2), "");
    EXPECT_EQ(lines_.open(job_, &inheritance_), "");
  }
  ~RankLinesTest() override {
    for (int fd : all_) close(fd);
  }

  int call() {
    const std::string name = lines_.address().substr(0, lines_.address().find(':'));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, name.size());
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
    all_.push_back(fd);
    return fd;
  }

  void say(int fd, AgentSays kind, std::uint32_t number = 0, std::uint64_t token = 0, const std::string& payload = {}) {
    const AgentHeader header{kind, number, token};
    const std::string bytes = std::string(reinterpret_cast<const char*>(&header), sizeof header) + payload;
    EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    run();
  }

  // What the loop would do until nothing is left to do.
  void run() {
    loop_.after(10ms, [this] { loop_.stop(); });
    loop_.run();
  }

  // False: there is nothing, or the line is closed.
  bool hear(int fd, Heard& out) {
    std::string bytes(max_agent_message, '\0');
    const ssize_t got = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(sizeof out.header)) return false;
    bytes.copy(reinterpret_cast<char*>(&out.header), sizeof out.header);
    out.payload = bytes.substr(sizeof out.header, static_cast<std::size_t>(got) - sizeof out.header);
    return true;
  }
  Heard hear(int fd) {
    Heard out;
    EXPECT_TRUE(hear(fd, out));
    return out;
  }
  bool is_closed(int fd) {
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
  }

  int join(std::uint32_t rank) {
    const int fd = call();
    say(fd, AgentSays::join, rank, agent_protocol);
    EXPECT_EQ(hear(fd).status(), AgentStatus::good);
    return fd;
  }

  std::string in_another_process(bool orphan, const std::function<void()>& before);

  void on_connected(std::uint32_t rank) override { connected_.push_back(rank); }
  void on_finalized(std::uint32_t rank) override { finalized_.push_back(rank); }
  void on_abort(std::uint32_t rank, int status, std::string_view) override { aborted_ = {rank, status}; }
  void on_fence(std::uint64_t fence, const std::vector<std::uint32_t>&, milliseconds, std::string_view) override {
    fences_.push_back(fence);
  }
  void on_modex_request(std::uint64_t question, std::uint32_t rank, milliseconds) override {
    asked_.emplace_back(question, rank);
  }
  void on_modex_answer(std::uint64_t question, int, std::string_view data) override {
    answered_.emplace_back(question, data);
  }
  void on_event(int, std::uint32_t, std::string_view) override {}
  void on_why(std::uint32_t rank, std::string_view lines) override { waits_.emplace_back(rank, lines); }

  Job job_;
  Loop loop_;
  Inheritance inheritance_;
  RankLines lines_{loop_, *this};
  std::vector<int> all_;
  std::vector<std::uint32_t> connected_, finalized_;
  std::pair<std::uint32_t, int> aborted_{};
  std::vector<std::uint64_t> fences_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> asked_;
  std::vector<std::pair<std::uint64_t, std::string>> answered_;
  std::vector<std::pair<std::uint32_t, std::string>> waits_;
};

TEST_F(RankLinesTest, WhatARankWaitsForIsPassedOn) {
  const int fd = join(2);
  say(fd, AgentSays::why, 0, 0, "5.0 s without progress\nreceive from rank 1\n");
  EXPECT_THAT(waits_,
              ElementsAre(std::pair<std::uint32_t, std::string>(2, "5.0 s without progress\nreceive from rank 1\n")));
  EXPECT_FALSE(is_closed(fd));
}

TEST_F(RankLinesTest, TheProcessOfARankIsKnown) {
  EXPECT_EQ(lines_.process_of(2), 0);
  join(2);
  EXPECT_EQ(lines_.process_of(2), getpid());
  EXPECT_EQ(lines_.process_of(1), 0);
}

TEST_F(RankLinesTest, ARankIsToldWhoItIs) {
  const int fd = call();
  say(fd, AgentSays::join, 2, agent_protocol);
  const Heard heard = hear(fd);
  AgentFacts facts;
  ASSERT_EQ(heard.payload.size(), sizeof facts + 3 + 2 * sizeof(std::uint32_t));
  heard.payload.copy(reinterpret_cast<char*>(&facts), sizeof facts);
  EXPECT_EQ(std::tuple(facts.size, facts.node, facts.node_count, facts.local_rank, facts.local_count),
            std::tuple(3u, 1u, 2u, 1u, 2u));
  EXPECT_EQ(heard.payload.substr(sizeof facts, 3), "job");
  EXPECT_THAT(connected_, ElementsAre(2));
  say(fd, AgentSays::ask_nodes, 1);
  const std::uint32_t nodes[] = {1, 1};
  EXPECT_EQ(hear(fd).payload, std::string(reinterpret_cast<const char*>(nodes), sizeof nodes));
  say(fd, AgentSays::ask_key);
  EXPECT_EQ(hear(fd).payload, job_.key);
  say(fd, AgentSays::leave);
  EXPECT_THAT(finalized_, ElementsAre(2));
  say(fd, AgentSays::abort, 7);
  EXPECT_EQ(aborted_, std::pair(2u, 7));
}

TEST_F(RankLinesTest, RanksOfElsewhereAndOtherVersionsAreRefused) {
  const int fd = call();
  for (const std::uint32_t rank : {0u, 3u, ~0u}) {
    say(fd, AgentSays::join, rank, agent_protocol);
    EXPECT_EQ(hear(fd).status(), AgentStatus::unknown_rank);
  }
  say(fd, AgentSays::join, 1, agent_protocol + 1);
  EXPECT_EQ(hear(fd).status(), AgentStatus::other_version);
  EXPECT_THAT(connected_, IsEmpty());
}

TEST_F(RankLinesTest, WhoDoesNotJoinIsToldNothing) {
  for (const AgentSays kind :
       {AgentSays::ask_key, AgentSays::ask_memory, AgentSays::ask_nodes, AgentSays::publish, AgentSays::fetch,
        AgentSays::fence, AgentSays::leave, AgentSays::abort, AgentSays::joined, static_cast<AgentSays>(999)}) {
    const int fd = call();
    say(fd, kind, 1, 1);
    EXPECT_TRUE(is_closed(fd)) << static_cast<int>(kind);
  }
  EXPECT_THAT(finalized_, IsEmpty());
  EXPECT_EQ(aborted_, (std::pair<std::uint32_t, int>()));
}

// The descriptor that comes along with the next message; -1: none.
int hear_descriptor(int fd, Heard& out) {
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  iovec part{&out.header, sizeof out.header};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) < static_cast<ssize_t>(sizeof out.header)) return -1;
  const cmsghdr* const control = CMSG_FIRSTHDR(&message);
  int descriptor = -1;
  if (control) memcpy(&descriptor, CMSG_DATA(control), sizeof descriptor);
  return descriptor;
}

TEST_F(RankLinesTest, WhoHasLostTheMemoryOfTheNodeGetsItAgain) {
  const int fd = join(1);
  say(fd, AgentSays::ask_memory);
  Heard heard;
  const int got = hear_descriptor(fd, heard);
  EXPECT_EQ(heard.header.kind, AgentSays::memory);
  EXPECT_EQ(heard.status(), AgentStatus::good);
  struct stat mine, its;
  ASSERT_EQ(fstat(inheritance_.memory(), &mine), 0);
  ASSERT_EQ(fstat(got, &its), 0);
  EXPECT_EQ(mine.st_ino, its.st_ino);
  close(got);
  // When the ranks have ended there is nothing left to give.
  inheritance_.close();
  say(fd, AgentSays::ask_memory);
  EXPECT_EQ(hear_descriptor(fd, heard), -1);
  EXPECT_EQ(heard.status(), AgentStatus::failed);
}

// What another process hears: of what kinds the answers were to join, ask_key and ask_memory, and whether they held a
// key or a descriptor. "hung up" when the line was closed at once.
std::string try_as_rank(int fd) {
  std::string out;
  for (const AgentSays kind : {AgentSays::join, AgentSays::ask_key, AgentSays::ask_memory}) {
    const AgentHeader header{kind, 1, agent_protocol};
    if (send(fd, &header, sizeof header, MSG_NOSIGNAL) < 0) return "hung up";
    Heard heard;
    if (kind != AgentSays::ask_memory) {
      char bytes[4096];
      const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
      if (got <= 0) return "hung up";
      out += got > static_cast<ssize_t>(sizeof header) ? "full " : "empty ";
    } else {
      out += hear_descriptor(fd, heard) >= 0 ? "memory" : "nothing";
    }
  }
  return out;
}

// What another process hears, while this one is the agent; `orphan`: one that falls to somebody else first.
std::string RankLinesTest::in_another_process(bool orphan, const std::function<void()>& before) {
  int pipe_ends[2];
  EXPECT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (orphan) {
      const pid_t parent = getpid();
      if (fork() != 0) _exit(0);
      while (getppid() == parent) usleep(1000);
    }
    before();
    const std::string heard = try_as_rank(call());
    (void)!write(pipe_ends[1], heard.data(), heard.size());
    _exit(0);
  }
  close(pipe_ends[1]);
  std::string out;
  loop_.watch(pipe_ends[0], POLLIN, [&](short) {
    char bytes[64];
    const ssize_t got = read(pipe_ends[0], bytes, sizeof bytes);
    if (got > 0) return void(out.append(bytes, static_cast<std::size_t>(got)));
    loop_.forget(pipe_ends[0]);
    loop_.stop();
  });
  loop_.run();
  close(pipe_ends[0]);
  waitpid(child, nullptr, 0);
  return out;
}

TEST_F(RankLinesTest, OnlyProcessesBelowThisOneGetAnything) {
  const auto as_it_is = [] {};
  EXPECT_EQ(in_another_process(false, as_it_is), "full full memory");
  EXPECT_EQ(in_another_process(true, as_it_is), "hung up");
}

TEST_F(RankLinesTest, ProcessesBelowOtherAgentsGetNothing) {
  lines_.is_no_rank = [](pid_t) { return true; };
  EXPECT_EQ(in_another_process(false, [] {}), "hung up");
}

TEST_F(RankLinesTest, ProcessesOfOtherUsersGetNothingOfWhatIsInherited) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  EXPECT_EQ(in_another_process(false, [] { (void)!setuid(65534); }), "full empty nothing");
}

TEST_F(RankLinesTest, GarbageEndsALineAndNoOther) {
  const int good = join(1);
  for (const std::size_t size : {1u, 15u, 16u, 4000u, 100'000u}) {
    const int fd = call();
    const std::string garbage(size, '\xee');
    EXPECT_EQ(send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL), static_cast<ssize_t>(size));
    run();
    EXPECT_TRUE(is_closed(fd)) << size;
  }
  say(good, AgentSays::ask_key);
  EXPECT_EQ(hear(good).payload, job_.key);
}

TEST_F(RankLinesTest, WhatIsPublishedReachesThoseWhoAskedBeforeAndAfter) {
  const int one = join(1), two = join(2);
  say(one, AgentSays::fetch, 2, 11);
  lines_.ask_local(5, 2);
  Heard heard;
  EXPECT_FALSE(hear(one, heard));
  say(two, AgentSays::publish, 0, 0, "address");
  heard = hear(one);
  EXPECT_EQ(std::tuple(heard.status(), heard.header.token, heard.payload),
            std::tuple(AgentStatus::good, 11u, "address"));
  EXPECT_THAT(answered_, ElementsAre(std::pair(std::uint64_t{5}, std::string("address"))));
  say(one, AgentSays::fetch, 2, 12);
  EXPECT_EQ(hear(one).header.token, 12u);
}

TEST_F(RankLinesTest, ARankElsewhereIsAskedThroughTheAgents) {
  const int one = join(1);
  say(one, AgentSays::fetch, 0, 21);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_EQ(asked_[0].second, 0u);
  EXPECT_TRUE(asked_[0].first & RankLines::ours);
  lines_.answer_modex(asked_[0].first, AgentStatus::good, "far");
  EXPECT_EQ(hear(one).payload, "far");
  say(one, AgentSays::fetch, 77, 22);
  EXPECT_EQ(hear(one).status(), AgentStatus::unknown_rank);
}

TEST_F(RankLinesTest, AQuestionAboutARankThatIsGoneIsAnswered) {
  const int one = join(1);
  say(one, AgentSays::fetch, 2, 31);
  lines_.rank_gone(2);
  EXPECT_EQ(hear(one).status(), AgentStatus::gone);
  say(one, AgentSays::fetch, 2, 32);
  EXPECT_EQ(hear(one).status(), AgentStatus::gone);
}

TEST_F(RankLinesTest, AFenceIsOverWhenTheJobHasCome) {
  const int one = join(1), two = join(2);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    say(one, AgentSays::fence, 0, 40 + round);
    ASSERT_EQ(fences_.size(), round - 1);
    say(two, AgentSays::fence, 0, 50 + round);
    ASSERT_EQ(fences_.size(), round);
    Heard heard;
    EXPECT_FALSE(hear(one, heard));
    lines_.answer_fence(fences_.back(), true);
    EXPECT_EQ(hear(one).header.token, 40 + round);
    EXPECT_EQ(hear(two).header.token, 50 + round);
  }
}

TEST_F(RankLinesTest, AFenceWithoutARankThatIsGoneIsAnsweredWithAnError) {
  const int one = join(1);
  say(one, AgentSays::fence, 0, 1);
  lines_.rank_gone(2);
  EXPECT_EQ(hear(one).status(), AgentStatus::gone);
  say(one, AgentSays::fence, 0, 2);
  EXPECT_EQ(hear(one).status(), AgentStatus::gone);
  EXPECT_THAT(fences_, IsEmpty());
}

TEST_F(RankLinesTest, AnswersWaitForARankThatIsSlow) {
  constexpr std::uint64_t count = 1000;
  const int one = join(1), two = join(2);
  say(two, AgentSays::publish, 0, 0, std::string(900, 'a'));
  const AgentHeader question{AgentSays::fetch, 2, 0};
  std::uint64_t heard_of = 0;
  for (std::uint64_t token = 1; token <= count; ++token) {
    AgentHeader header = question;
    header.token = token;
    ASSERT_EQ(send(one, &header, sizeof header, MSG_NOSIGNAL), static_cast<ssize_t>(sizeof header));
    if (token % 50 == 0) run();
  }
  Heard heard;
  while (heard_of < count) {
    if (hear(one, heard)) {
      EXPECT_EQ(heard.header.token, ++heard_of);
    } else {
      ASSERT_FALSE(is_closed(one));
      run();
    }
  }
}

TEST_F(RankLinesTest, AProgramMayFollowAnotherInTheSameRank) {
  for (int round = 0; round < 3; ++round) {
    const int fd = join(1);
    say(fd, AgentSays::leave);
    shutdown(fd, SHUT_RDWR);
    run();
  }
  EXPECT_THAT(connected_, ElementsAre(1, 1, 1));
  EXPECT_THAT(finalized_, ElementsAre(1, 1, 1));
}

TEST_F(RankLinesTest, LastWordsAreHeardBeforeTheEndIsJudged) {
  const int fd = call();
  const AgentHeader words[] = {{AgentSays::join, 2, agent_protocol}, {AgentSays::leave, 0, 0}};
  for (const AgentHeader& word : words) ASSERT_EQ(send(fd, &word, sizeof word, 0), static_cast<ssize_t>(sizeof word));
  close(fd);
  all_.clear();
  lines_.drain(2);
  EXPECT_THAT(connected_, ElementsAre(2));
  EXPECT_THAT(finalized_, ElementsAre(2));
}

}  // namespace
}  // namespace cow::launch
