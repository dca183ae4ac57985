// The agent's end of the lines of its ranks (src/base/agent_wire.hpp): who does not need PMIx is served here. Told are the
// same events as by the PMIx server; numbers of fences and questions that begin in here have the bit `ours`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/agent_wire.hpp"
#include "launcher/agent/inheritance.hpp"
#include "launcher/core/job.hpp"
#include "launcher/core/loop.hpp"
#include "launcher/pmix/pmix_server.hpp"

namespace cow::launch {

class RankLines {
 public:
  static constexpr std::uint64_t ours = std::uint64_t{1} << 63;

  RankLines(Loop& loop, PmixClientEvents& events) : loop_(loop), events_(events) {}
  RankLines(const RankLines&) = delete;
  RankLines& operator=(const RankLines&) = delete;
  ~RankLines();

  // Whether a child of this process is no rank, nor left by one, so that nobody below it may call. None: all are ranks.
  std::function<bool(pid_t child)> is_no_rank;

  // What went wrong; empty when nothing did. `job` lives longer than this, and so does `inherited`, which ranks
  // that have lost it may have again.
  std::string open(const Job& job, const Inheritance* inherited = nullptr);
  std::string address() const { return address_; }  // for COW_AGENT

  void answer_fence(std::uint64_t fence, bool good);
  void answer_modex(std::uint64_t question, AgentStatus status, std::string_view data);

  // Another node wants what the rank of this node has published: answered by on_modex_answer(), now or when it has.
  void ask_local(std::uint64_t question, std::uint32_t rank);

  // Handles what has come: called before the end of a rank is judged, so that its last words are known.
  void drain(std::uint32_t rank);
  void rank_gone(std::uint32_t rank);
  pid_t process_of(std::uint32_t rank) const;  // that has its line; 0: none has

 private:
  struct Message {
    std::string bytes;
    int descriptor = -1;  // that goes along
  };
  struct Line {
    std::uint32_t rank = all_ranks;  // all_ranks: has not joined yet
    pid_t process = 0;               // that has called
    bool same_user = false;          // as this process: it may have what is inherited
    std::uint64_t fence = 0;         // the token of the one that it is in; 0: none
    std::uint64_t timer = 0;         // until it must have joined
    std::deque<Message> unsent;      // no more than the rank asked for
  };
  struct Question {
    int fd;
    std::uint64_t token;
  };

  void accept_all();
  bool is_caller(int fd, Line& out) const;
  bool read(int fd);  // false: there is nothing more now
  void hear(int fd, const AgentHeader& header, std::string_view payload);
  void join(int fd, const AgentHeader& header);
  void tell_nodes(int fd, std::uint32_t first);
  void hand_out_memory(int fd);
  void fetch(int fd, std::uint32_t rank, std::uint64_t token);
  void enter_fence(int fd, std::uint64_t token);
  void say(int fd, AgentSays kind, std::uint32_t number, std::uint64_t token, std::string_view payload,
           int descriptor = -1);
  void send_rest(int fd);
  void fail_fence();
  std::vector<std::uint64_t> take_questions(std::uint32_t rank);
  void hang_up(int fd);

  Loop& loop_;
  PmixClientEvents& events_;
  const Job* job_ = nullptr;
  const Inheritance* inherited_ = nullptr;
  int listener_ = -1;
  std::string address_;
  std::vector<std::uint32_t> here_;   // ranks of this node, rising
  std::map<int, Line> lines_;         // by descriptor
  std::set<std::uint32_t> in_fence_;  // ranks
  std::set<std::uint32_t> gone_;
  std::uint64_t last_number_ = ours;
  std::map<std::uint64_t, std::set<int>> fences_;  // those that wait for the rest of the job: descriptors
  std::map<std::uint64_t, Question> questions_;
  std::map<std::uint32_t, std::string> published_;
  std::multimap<std::uint32_t, std::uint64_t> asked_;  // rank to questions of other nodes
};

}  // namespace cow::launch
