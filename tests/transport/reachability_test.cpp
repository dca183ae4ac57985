// Whether anything listens somewhere is found out without waiting.
#include "transport/reachability.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

namespace cow::transport {
namespace {

using Answer = Reachability::Answer;

// A port of the loopback address that takes connections, as long as `backlog` are not exceeded: nobody accepts them.
class Listener {
 public:
  explicit Listener(int backlog) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, backlog), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    text_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Listener() { close(); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  const std::string& text() const { return text_; }

 private:
  int socket_;
  std::string text_;
};

Answer look_until_known(Reachability& question, Nanoseconds limit) {
  Answer answer = Answer::pending;
  for (const Nanoseconds end = now() + limit; answer == Answer::pending && now() < end; usleep(1000))
    answer = question.look(now());
  return answer;
}

TEST(Reachability, OneAddressThatAnswersIsEnough) {
  Listener here(5), gone(5);
  gone.close();
  Reachability question({gone.text(), here.text()}, now());
  EXPECT_EQ(look_until_known(question, second), Answer::reachable);
}

TEST(Reachability, TheReasonsAreTold) {
  Listener gone(5);
  gone.close();
  Reachability question({gone.text()}, now());
  EXPECT_EQ(look_until_known(question, second), Answer::unreachable);
  EXPECT_EQ(question.reasons(), gone.text() + ": Connection refused");
}

TEST(Reachability, OfWhatIsNoAddressOfTheInternetNothingIsSaid) {
  Reachability question({"fi_shm://17"}, now());
  EXPECT_EQ(question.look(now()), Answer::reachable);
}

// A listener whose queue is full does not answer: one cannot know for a second, and waits for none of it.
TEST(Reachability, NoLookWaits) {
  Listener full(0);
  std::vector<std::unique_ptr<Reachability>> fillers;
  for (int i = 0; i < 4; ++i) fillers.push_back(std::make_unique<Reachability>(std::vector{full.text()}, now()));
  usleep(10'000);
  const Nanoseconds begin = now();
  Reachability question({full.text()}, begin);
  EXPECT_EQ(question.look(begin), Answer::pending);
  EXPECT_EQ(question.look(begin + Reachability::patience - 1), Answer::pending);
  EXPECT_EQ(question.look(begin + Reachability::patience), Answer::unreachable);
  EXPECT_EQ(question.reasons(), full.text() + ": Connection timed out");
  EXPECT_LT(now() - begin, Reachability::patience / 2);
}

}  // namespace
}  // namespace cow::transport
