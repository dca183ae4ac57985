// The line to the agent, against an agent that is played here.
#include "runtime/agent_line.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "base/agent_wire.hpp"

namespace cow::runtime::agent_line {
namespace {

struct Heard {
  AgentHeader header{};
  std::string payload;
};

// Listens as an agent does, serves one rank, and answers by `answer`, which a test may replace.
class Agent {
 public:
  Agent() {
    listener_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t size = sizeof address.sun_family;  // a name of the kernel's choice
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    const std::string name(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
    setenv("COW_AGENT", (name + ":job-1").c_str(), 1);
    setenv("PMIX_NAMESPACE", "job-1", 1);
    setenv("PMIX_RANK", "1", 1);
    answer = [this](const Heard& heard) { usual(heard); };
  }
  ~Agent() {
    hang_up();
    for (const char* variable : {"COW_AGENT", "PMIX_NAMESPACE", "PMIX_RANK"}) unsetenv(variable);
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  void begin() {
    thread_ = std::thread([this] {
      rank_ = accept(listener_, nullptr, nullptr);
      Heard next;
      while (hear(next)) {
        heard.push_back(next);
        answer(next);
      }
    });
  }
  // Goes away, as an agent that dies does.
  void hang_up() {
    shutdown(listener_, SHUT_RDWR);
    if (rank_ >= 0) shutdown(rank_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    if (rank_ >= 0) close(rank_.exchange(-1));
    if (listener_ >= 0) close(std::exchange(listener_, -1));
  }
  // Waits for the rank to leave the line.
  void wait_for_end() { thread_.join(); }

  void say(AgentSays kind, std::uint32_t number, std::uint64_t token, const std::string& payload = {}) const {
    const AgentHeader header{kind, number, token};
    std::string message(reinterpret_cast<const char*>(&header), sizeof header);
    message += payload;
    (void)!send(rank_, message.data(), message.size(), MSG_NOSIGNAL);
  }

  // What every agent answers.
  void usual(const Heard& heard) const {
    const auto good = static_cast<std::uint32_t>(AgentStatus::good);
    switch (heard.header.kind) {
      case AgentSays::join: return say(AgentSays::joined, good, 0, facts_text());
      case AgentSays::ask_nodes: {
        const auto first = heard.header.number;
        const std::vector<std::uint32_t> some(std::min<std::size_t>(nodes_per_answer, facts.size - first), first);
        return say(AgentSays::nodes, first, 0, {reinterpret_cast<const char*>(some.data()), some.size() * 4});
      }
      case AgentSays::ask_key: return say(AgentSays::key, 0, 0, std::string(32, 'k'));  // longer than a rank needs
      case AgentSays::fetch:
        return say(AgentSays::fetched, good, heard.header.token, "address " + std::to_string(heard.header.number));
      case AgentSays::fence: return say(AgentSays::fenced, good, heard.header.token);
      default: return;
    }
  }
  int rank() const { return rank_; }
  std::string facts_text() const {
    AgentFacts told = facts;
    told.name_size = static_cast<std::uint32_t>(name.size());
    told.local_count = static_cast<std::uint32_t>(local_ranks.size());
    std::string out(reinterpret_cast<const char*>(&told), sizeof told);
    return out + name + std::string(reinterpret_cast<const char*>(local_ranks.data()), local_ranks.size() * 4);
  }

  AgentFacts facts{
      .size = 3, .node = 0, .node_count = 1, .local_rank = 1, .appnum = 2, .name_size = 0, .local_count = 0};
  std::string name = "job-1";
  std::vector<std::uint32_t> local_ranks{0, 1, 2};
  std::size_t nodes_per_answer = nodes_in_message;
  std::function<void(const Heard&)> answer;
  std::vector<Heard> heard;  // read it after the end

 private:
  bool hear(Heard& out) const {
    out.payload.resize(max_agent_message);
    const ssize_t got = recv(rank_, out.payload.data(), out.payload.size(), 0);
    if (got < static_cast<ssize_t>(sizeof out.header)) return false;
    memcpy(&out.header, out.payload.data(), sizeof out.header);
    out.payload = out.payload.substr(sizeof out.header, static_cast<std::size_t>(got) - sizeof out.header);
    return true;
  }

  int listener_;
  std::atomic<int> rank_ = -1;
  std::thread thread_;
};

struct Answer {
  std::string wrong, bytes;
};

Answer fetch_and_wait(int rank) {
  std::promise<Answer> promise;
  fetch(rank, [&](const char* wrong, std::string bytes) { promise.set_value({wrong ? wrong : "", std::move(bytes)}); });
  return promise.get_future().get();
}

TEST(AgentLine, IsOfferedToTheProcessesThatItIsMeantFor) {
  EXPECT_FALSE(is_offered());
  Agent agent;
  EXPECT_TRUE(is_offered());
  setenv("PMIX_NAMESPACE", "another", 1);  // started in turn by another launcher
  EXPECT_FALSE(is_offered());
  setenv("PMIX_NAMESPACE", "job-1", 1);
  unsetenv("PMIX_RANK");
  EXPECT_FALSE(is_offered());
}

TEST(AgentLine, JoiningTellsWhoIsWhere) {
  Agent agent;
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  EXPECT_EQ(facts.name, "job-1");
  EXPECT_EQ(facts.rank, 1);
  EXPECT_EQ(facts.size, 3);
  EXPECT_EQ(facts.local_rank, 1);
  EXPECT_EQ(facts.appnum, 2);
  EXPECT_EQ(facts.local_ranks, (std::vector<int>{0, 1, 2}));
  EXPECT_TRUE(facts.nodes.empty());
  leave();
  agent.wait_for_end();
  EXPECT_EQ(agent.heard.front().header.number, 1u);
  EXPECT_EQ(agent.heard.front().header.token, agent_protocol);
  EXPECT_EQ(agent.heard.back().header.kind, AgentSays::leave);
}

TEST(AgentLine, NodesOfManyRanksComeInSeveralAnswers) {
  Agent agent;
  agent.facts.size = 10;
  agent.facts.node_count = 3;
  agent.nodes_per_answer = 4;
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  EXPECT_EQ(facts.nodes, (std::vector<std::uint32_t>{0, 0, 0, 0, 4, 4, 4, 4, 8, 8}));
  leave();
}

TEST(AgentLine, NobodyThereIsNoFailureButPmixIsLeft) {
  Facts facts;
  {
    Agent agent;
    agent.hang_up();
    EXPECT_FALSE(join(facts));
  }
  leave();  // of a line that there is not
}

TEST(AgentLine, AnswersThatMakeNoSenseAreNotJoined) {
  const auto joined = [](const std::function<void(Agent&)>& change) {
    Agent agent;
    change(agent);
    agent.begin();
    Facts facts;
    const bool done = join(facts);
    leave();
    return done;
  };
  EXPECT_TRUE(joined([](Agent&) {}));
  EXPECT_FALSE(joined([](Agent& agent) { agent.facts.size = 1; }));  // this is rank 1
  EXPECT_FALSE(joined([](Agent& agent) { agent.facts.size = 0; }));
  const auto answering = [&](AgentSays kind, AgentStatus status, std::size_t cut) {
    return joined([=](Agent& agent) {
      agent.answer = [=, &agent](const Heard&) {
        const std::string text = agent.facts_text();
        agent.say(kind, static_cast<std::uint32_t>(status), 0, text.substr(0, text.size() - cut));
      };
    });
  };
  EXPECT_TRUE(answering(AgentSays::joined, AgentStatus::good, 0));
  EXPECT_FALSE(answering(AgentSays::joined, AgentStatus::other_version, 0));
  EXPECT_FALSE(answering(AgentSays::fenced, AgentStatus::good, 0));
  EXPECT_FALSE(answering(AgentSays::joined, AgentStatus::good, 1));
  EXPECT_FALSE(answering(AgentSays::joined, AgentStatus::good, 30));
}

// One message with a descriptor, as the agent sends the memory of its node.
void send_memory(int to, AgentStatus status, int descriptor) {
  AgentHeader header{AgentSays::memory, static_cast<std::uint32_t>(status), 0};
  iovec part{&header, sizeof header};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* const control = CMSG_FIRSTHDR(&message);
    *control = {CMSG_LEN(sizeof descriptor), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  }
  EXPECT_GE(sendmsg(to, &message, MSG_NOSIGNAL), 0);
}

TEST(AgentLine, TheMemoryOfTheNodeComesWhereItWasAskedFor) {
  const int memory = memfd_create("memory", MFD_CLOEXEC);
  ASSERT_GE(memory, 0);
  Agent agent;
  int given = memory;
  agent.answer = [&](const Heard& heard) {
    if (heard.header.kind != AgentSays::ask_memory) return agent.usual(heard);
    send_memory(agent.rank(), given < 0 ? AgentStatus::failed : AgentStatus::good, given);
  };
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  const int got = ask_memory();
  struct stat mine, its;
  ASSERT_EQ(fstat(memory, &mine), 0);
  ASSERT_EQ(fstat(got, &its), 0);
  EXPECT_EQ(mine.st_ino, its.st_ino);
  EXPECT_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
  given = -1;
  EXPECT_EQ(ask_memory(), -1);
  leave();
  agent.wait_for_end();
  for (const int fd : {memory, got}) close(fd);
}

TEST(AgentLine, TheKeyComesWhereItWasAskedFor) {
  Agent agent;
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  SipKey key{};
  EXPECT_TRUE(ask_key(key));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(&key), sizeof key), std::string(sizeof key, 'k'));
  leave();
}

TEST(AgentLine, WhatIsPublishedArrives) {
  Agent agent;
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  const std::string bytes("an\0address", 10);
  EXPECT_FALSE(publish(bytes));
  EXPECT_TRUE(publish(std::string(max_agent_message, 'x')));  // longer than a message can be
  leave();
  agent.wait_for_end();
  ASSERT_EQ(agent.heard.size(), 3u);
  EXPECT_EQ(agent.heard[1].header.kind, AgentSays::publish);
  EXPECT_EQ(agent.heard[1].payload, bytes);
}

TEST(AgentLine, FetchedBytesComeToWhoAskedForThem) {
  Agent agent;
  std::vector<Heard> questions;
  agent.answer = [&](const Heard& heard) {  // the later question first
    if (heard.header.kind != AgentSays::fetch) return agent.usual(heard);
    questions.push_back(heard);
    if (questions.size() < 2) return;
    agent.usual(questions[1]);
    agent.usual(questions[0]);
  };
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  std::promise<std::string> first, second;
  fetch(0, [&](const char*, std::string bytes) { first.set_value(std::move(bytes)); });
  fetch(2, [&](const char*, std::string bytes) { second.set_value(std::move(bytes)); });
  EXPECT_EQ(first.get_future().get(), "address 0");
  EXPECT_EQ(second.get_future().get(), "address 2");
  leave();
}

TEST(AgentLine, WhatCannotBeFetchedIsSaid) {
  Agent agent;
  AgentStatus status = AgentStatus::gone;
  agent.answer = [&](const Heard& heard) {
    if (heard.header.kind != AgentSays::fetch) return agent.usual(heard);
    agent.say(AgentSays::fetched, static_cast<std::uint32_t>(status), heard.header.token);
    status = AgentStatus::unknown_rank;
  };
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  EXPECT_EQ(fetch_and_wait(0).wrong, "it has ended");
  EXPECT_EQ(fetch_and_wait(7).wrong, "the launcher knows no such rank");
  leave();
}

TEST(AgentLine, AFenceEndsWhenTheAgentSaysSo) {
  Agent agent;
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  std::promise<void> done;
  start_fence([&] { done.set_value(); });
  done.get_future().get();
  leave();
}

TEST(AgentLine, WhenTheAgentGoesAllQuestionsAreAnswered) {
  Agent agent;
  agent.answer = [&](const Heard& heard) {
    if (heard.header.kind == AgentSays::join) agent.usual(heard);
  };
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  std::promise<std::string> before;
  std::promise<void> fence;
  fetch(0, [&](const char* wrong, const std::string&) { before.set_value(wrong ? wrong : ""); });
  start_fence([&] { fence.set_value(); });
  agent.hang_up();
  EXPECT_EQ(before.get_future().get(), "the launcher does not answer");
  fence.get_future().get();
  EXPECT_EQ(fetch_and_wait(0).wrong, "the launcher does not answer");  // asked afterwards
  leave();
}

TEST(AgentLine, MayBeJoinedAgainAfterTheLastWords) {
  for (int round = 0; round < 2; ++round) {
    Agent agent;
    agent.begin();
    Facts facts;
    ASSERT_TRUE(join(facts));
    EXPECT_EQ(fetch_and_wait(2).bytes, "address 2");
    leave();
  }
}

TEST(AgentLine, AbortNamesTheStatusAndWaitsForTheAgentToHangUp) {
  Agent agent;
  std::promise<void> aborted;
  agent.answer = [&](const Heard& heard) {
    agent.usual(heard);
    if (heard.header.kind == AgentSays::abort) aborted.set_value();
  };
  agent.begin();
  Facts facts;
  ASSERT_TRUE(join(facts));
  std::thread ends([&] {
    aborted.get_future().wait();
    agent.hang_up();
  });
  abort(5);
  ends.join();
  leave();
  EXPECT_EQ(agent.heard.back().header.kind, AgentSays::abort);
  EXPECT_EQ(agent.heard.back().header.number, 5u);
}

}  // namespace
}  // namespace cow::runtime::agent_line
