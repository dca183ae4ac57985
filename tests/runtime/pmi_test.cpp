// The client of PMI-1, against a launcher that is played here.
#include "runtime/pmi.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace cow::runtime::pmi {
namespace {

// Answers one rank's requests, line by line, as hydra does; `answers` says what it answers else to a command.
class Launcher {
 public:
  Launcher() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    mine_ = ends[0];
    its_ = ends[1];
    setenv("PMI_FD", std::to_string(its_).c_str(), 1);
    setenv("PMI_RANK", "2", 1);
    setenv("PMI_SIZE", "4", 1);
    answers = {{"init", "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0"},
               {"get_maxes", "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=64"},
               {"get_my_kvsname", "cmd=my_kvsname kvsname=space7"},
               {"get_universe_size", "cmd=universe_size size=16"},
               {"get_appnum", "cmd=appnum appnum=1"},
               {"barrier_in", "cmd=barrier_out"},
               {"finalize", "cmd=finalize_ack"}};
    known = {{"PMI_process_mapping", "(vector,(0,2,2))"}};
  }
  ~Launcher() {
    hang_up();
    close(its_);
    close(mine_);
    for (const char* variable : {"PMI_FD", "PMI_RANK", "PMI_SIZE"}) unsetenv(variable);
  }
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  void begin() {
    thread_ = std::thread([this] { serve(); });
  }
  void hang_up() {
    shutdown(mine_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }

  std::map<std::string, std::string> answers;  // by command
  std::map<std::string, std::string> known;    // values by key
  std::vector<std::string> heard;              // lines; read it after hang_up()
  std::size_t piece = 4096;                    // bytes that an answer is sent in at a time

 private:
  void serve() {
    std::string text;
    char byte;
    while (read(mine_, &byte, 1) == 1) {
      if (byte != '\n') {
        text += byte;
        continue;
      }
      heard.push_back(text);
      say(answer_to(text));
      text.clear();
    }
  }

  static std::string word(const std::string& line, const std::string& name) {
    const std::size_t at = line.find(name + "=");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 1;
    return line.substr(begin, line.find(' ', begin) - begin);
  }

  std::string answer_to(const std::string& line) {
    const std::string command = word(line, "cmd");
    if (const auto found = answers.find(command); found != answers.end()) return found->second;
    const std::string key = word(line, "key");
    if (command == "put") {
      known[key] = word(line, "value");
      return "cmd=put_result rc=0 msg=success";
    }
    if (command != "get") return {};
    if (!known.contains(key)) return "cmd=get_result rc=-1 msg=key_" + key + "_not_found value=unknown";
    return "cmd=get_result rc=0 msg=success value=" + known[key];
  }

  void say(std::string answer) const {
    if (answer.empty()) return;
    answer += '\n';
    for (std::size_t at = 0; at < answer.size(); at += piece)
      (void)!send(mine_, answer.data() + at, std::min(piece, answer.size() - at), MSG_NOSIGNAL);
  }

  int mine_, its_;
  std::thread thread_;
};

TEST(Pmi, IsOfferedWhereTheDescriptorIsOpen) {
  EXPECT_FALSE(is_offered());
  {
    Launcher launcher;
    EXPECT_TRUE(is_offered());
  }
  setenv("PMI_FD", "900", 1);
  EXPECT_FALSE(is_offered());
  // Another file has the number by now.
  const int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
  setenv("PMI_FD", std::to_string(other).c_str(), 1);
  EXPECT_FALSE(is_offered());
  close(other);
  unsetenv("PMI_FD");
}

TEST(Pmi, JoiningTellsWhoIsWhere) {
  Launcher launcher;
  launcher.begin();
  Facts facts;
  ASSERT_FALSE(join(facts)) << last_failure();
  EXPECT_EQ(facts.rank, 2);
  EXPECT_EQ(facts.size, 4);
  EXPECT_EQ(facts.universe_size, 16);
  EXPECT_EQ(facts.appnum, 1);
  EXPECT_EQ(facts.nodes, (std::vector<std::uint32_t>{0, 0, 1, 1}));
}

TEST(Pmi, AnswersMayComeInPieces) {
  Launcher launcher;
  launcher.piece = 3;
  launcher.begin();
  Facts facts;
  ASSERT_FALSE(join(facts)) << last_failure();
  EXPECT_EQ(facts.nodes.size(), 4u);
}

TEST(Pmi, ALauncherNeedNotSayWhichNodesThereAre) {
  Launcher launcher;
  launcher.known.clear();
  launcher.answers["get_universe_size"] = "cmd=universe_size size=0";
  launcher.begin();
  Facts facts;
  ASSERT_FALSE(join(facts)) << last_failure();
  EXPECT_TRUE(facts.nodes.empty());
  EXPECT_EQ(facts.universe_size, -1);
}

TEST(Pmi, WhatMakesNoSenseIsRefused) {
  const auto refused = [](const char* command, const char* answer) {
    Launcher launcher;
    launcher.answers[command] = answer;
    launcher.begin();
    Facts facts;
    return static_cast<bool>(join(facts));
  };
  EXPECT_TRUE(refused("init", "cmd=response_to_init pmi_version=2 rc=-1"));
  EXPECT_TRUE(refused("init", "hello"));
  EXPECT_TRUE(refused("get_maxes", "cmd=maxes vallen_max=10"));
  EXPECT_TRUE(refused("get_maxes", "cmd=maxes"));
  EXPECT_TRUE(refused("get_my_kvsname", "cmd=my_kvsname"));
  EXPECT_FALSE(refused("get_my_kvsname", "cmd=my_kvsname kvsname=other"));
}

TEST(Pmi, ARankOutsideOfTheJobIsRefused) {
  Launcher launcher;
  setenv("PMI_RANK", "4", 1);
  launcher.begin();
  Facts facts;
  EXPECT_TRUE(join(facts));
}

TEST(Pmi, ALauncherThatGoesAwayIsAnErrorThatNamesTheDescriptor) {
  Launcher launcher;
  launcher.hang_up();
  Facts facts;
  EXPECT_TRUE(join(facts));
  EXPECT_NE(std::string(last_failure()).find("PMI_FD="), std::string::npos) << last_failure();
}

TEST(Pmi, BytesOfAnyKindComeBackAsTheyWere) {
  Launcher launcher;
  launcher.begin();
  Facts facts;
  ASSERT_FALSE(join(facts));
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);  // longer than a value may be, and not text
  for (const std::string& bytes : {std::string(), std::string("a b\n"), all}) {
    ASSERT_FALSE(put("address", bytes)) << last_failure();
    std::string got = "what was there";
    ASSERT_FALSE(get("address", got)) << last_failure();
    EXPECT_EQ(got, bytes);
  }
  launcher.hang_up();
  for (const std::string& line : launcher.heard) {
    const std::size_t value = line.find("value=");
    if (value != std::string::npos) {
      EXPECT_LT(line.size() - value - 6, 64u) << line;
    }
  }
}

TEST(Pmi, WhatNobodyPutOrIsNotOursIsAnError) {
  Launcher launcher;
  launcher.known["odd.0"] = "2:zz11";
  launcher.known["short.0"] = "90:00";
  launcher.known["text.0"] = "hello";
  launcher.begin();
  Facts facts;
  ASSERT_FALSE(join(facts));
  std::string got;
  for (const char* key : {"missing", "odd", "short", "text"}) EXPECT_TRUE(get(key, got)) << key;
}

TEST(Pmi, BarriersEndAndTheLastWordsAreHeard) {
  Launcher launcher;
  launcher.begin();
  Facts facts;
  ASSERT_FALSE(join(facts));
  EXPECT_FALSE(barrier()) << last_failure();
  std::binary_semaphore done{0};
  start_barrier([&] { done.release(); });
  done.acquire();
  end();
  launcher.hang_up();
  EXPECT_EQ(launcher.heard.back(), "cmd=finalize");
}

TEST(Pmi, ABarrierEndsWhereTheLauncherGoesAway) {
  Launcher launcher;
  launcher.answers["barrier_in"] = "";  // none
  launcher.begin();
  Facts facts;
  ASSERT_FALSE(join(facts));
  std::binary_semaphore done{0};
  start_barrier([&] { done.release(); });
  launcher.hang_up();
  done.acquire();
}

TEST(Pmi, AbortNamesTheStatus) {
  Launcher launcher;
  launcher.begin();
  Facts facts;
  ASSERT_FALSE(join(facts));
  abort(3);
  end();  // is answered afterwards
  launcher.hang_up();
  EXPECT_NE(std::find(launcher.heard.begin(), launcher.heard.end(), "cmd=abort exitcode=3"), launcher.heard.end());
}

TEST(PmiMapping, BlocksOfNodes) {
  EXPECT_EQ(parse_mapping("(vector,(0,2,4))", 8), (std::vector<std::uint32_t>{0, 0, 0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(parse_mapping("(vector,(0,1,2),(1,2,1))", 4), (std::vector<std::uint32_t>{0, 0, 1, 2}));
  EXPECT_EQ(parse_mapping("(vector,(0,2,1))", 4), (std::vector<std::uint32_t>{0, 1, 0, 1}));  // one period
}

TEST(PmiMapping, NonsenseIsNoMapping) {
  for (const char* text : {"", "(vector", "(vector,)", "(vector,(0,0,0))", "(vector,(0,1", "(vector,(a,b,c))",
                           "(matrix,(0,1,1))", "(vector,(0,99999999,1))"})
    EXPECT_TRUE(parse_mapping(text, 4).empty()) << text;
}

}  // namespace
}  // namespace cow::runtime::pmi
