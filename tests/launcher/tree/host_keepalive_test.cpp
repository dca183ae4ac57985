// The connection by which a lost host is noticed, and what strangers achieve at its port: nothing.
#include "launcher/tree/host_keepalive.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "launcher/core/wire.hpp"

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string key = "0123456789abcdefghijklmnopqrstuv", other_key(32, 'x');

class Keepalives : public testing::Test {
 protected:
  void SetUp() override {
    plan_ = server_->open();
    if (plan_.port == 0) GTEST_SKIP() << "this host has no network";
    plan_.addresses = {"127.0.0.1"};
  }
  void run(Duration time) {
    loop_.after(time, [this] { loop_.stop(); });
    loop_.run();
  }
  // Until `done`, or for a long time.
  template <typename Done>
  void run_until(Done done) {
    for (int i = 0; i < 1000 && !done(); ++i) run(10ms);
  }
  std::unique_ptr<Keepalive> agent(const std::string& its_key, std::uint32_t node) {
    auto out = std::make_unique<Keepalive>(loop_, its_key, node, [this] { ++agents_lost_; });
    out->connect(plan_);
    return out;
  }
  int stranger() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(plan_.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return fd;
  }
  // Whether the other end closes the connection soon; `heard` takes what it says before.
  bool is_cut_off(int fd, std::string& heard) {
    for (int i = 0; i < 1000; ++i) {
      run(5ms);
      char buffer[256];
      const ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) heard.append(buffer, static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EAGAIN)) return true;
    }
    return false;
  }

  Loop loop_;
  std::vector<std::uint32_t> ready_, lost_, silent_;
  int agents_lost_ = 0;
  std::unique_ptr<KeepaliveServer> server_ = std::make_unique<KeepaliveServer>(
      loop_, key, 8s, [this](std::uint32_t node) { ready_.push_back(node); },
      [this](std::uint32_t node, bool silent) { (silent ? silent_ : lost_).push_back(node); });
  KeepalivePlan plan_;
};

TEST_F(Keepalives, BothEndsLearnOfTheOthersEnd) {
  auto one = agent(key, 1), two = agent(key, 2);
  run_until([&] { return ready_.size() == 2; });
  EXPECT_THAT(ready_, testing::UnorderedElementsAre(1u, 2u));
  two.reset();
  run_until([&] { return !lost_.empty(); });
  EXPECT_THAT(lost_, ElementsAre(2u));
  EXPECT_THAT(silent_, IsEmpty());
  server_.reset();
  run_until([&] { return agents_lost_ > 0; });
  EXPECT_EQ(agents_lost_, 1);
}

TEST_F(Keepalives, WhoHasAnotherKeyIsNoAgentAndFindsNoMpirun) {
  auto wrong = agent(other_key, 1);
  run(100ms);
  EXPECT_THAT(ready_, IsEmpty());
  wrong.reset();
  run(50ms);
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(Keepalives, StrangersAreCutOffAndChangeNothing) {
  auto right = agent(key, 3);
  run_until([&] { return ready_.size() == 1; });
  const std::string hello = std::string("COWLIFE\x01", 8) + std::string("\0\0\0\0", 4) + std::string(16, 'n');
  for (const std::string& text : {std::string("GET / HTTP/1.0\r\n\r\n"), std::string(100000, '\xff'), hello + "more",
                                  std::string("COWLIFX\x01"), std::string(64, '\0')}) {
    const int fd = stranger();
    (void)!send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    std::string heard;
    EXPECT_TRUE(is_cut_off(fd, heard)) << text.substr(0, 20);
    EXPECT_EQ(heard, "");
    close(fd);
  }
  EXPECT_THAT(ready_, ElementsAre(3u));
  EXPECT_THAT(lost_, IsEmpty());
  EXPECT_EQ(agents_lost_, 0);
}

TEST_F(Keepalives, TheSealOfAnEarlierConnectionIsWorthNothing) {
  const std::string nonce(16, 'n');
  const std::string hello = std::string("COWLIFE\x01", 8) + std::string("\0\0\0\0", 4) + nonce;
  std::string earlier;
  for (int round = 0; round < 2; ++round) {
    const int fd = stranger();
    ASSERT_EQ(send(fd, hello.data(), hello.size(), 0), static_cast<ssize_t>(hello.size()));
    std::string heard;
    while (heard.size() < 32) {
      run(5ms);
      char buffer[256];
      const ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) heard.append(buffer, static_cast<std::size_t>(got));
    }
    // The first time with the key; then the same bytes again, or mpirun's own seal sent back.
    if (round == 0) earlier = keepalive_seal(key, "agent", 0, nonce, heard.substr(0, 16));
    ASSERT_EQ(send(fd, earlier.data(), earlier.size(), 0), 16);
    if (round == 0) {
      run_until([&] { return !ready_.empty(); });
    } else {
      EXPECT_TRUE(is_cut_off(fd, heard));
      const int reflecting = stranger();
      ASSERT_EQ(send(reflecting, hello.data(), hello.size(), 0), static_cast<ssize_t>(hello.size()));
      ASSERT_EQ(send(reflecting, heard.data() + 16, 16, 0), 16);
      EXPECT_TRUE(is_cut_off(reflecting, heard));
      close(reflecting);
    }
    close(fd);
  }
  EXPECT_EQ(ready_.size(), 1u);
}

TEST_F(Keepalives, WhoSaysNothingIsCutOffInTime) {
  const int fd = stranger();
  std::string heard;
  const Instant start = Clock::now();
  bool cut = false;
  while (!cut && Clock::now() - start < 30s) {
    run(100ms);
    char c;
    cut = recv(fd, &c, 1, MSG_DONTWAIT) == 0;
  }
  EXPECT_TRUE(cut);
  close(fd);
}

}  // namespace
}  // namespace cow::launch
