// The agent: starts the ranks of one node, is their PMIx server, passes their output on, and reports their ends. Where
// there are many nodes it also starts the agents of others, and passes frames between them and mpirun.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "launcher/agent/inheritance.hpp"
#include "launcher/agent/rank_lines.hpp"
#include "launcher/agent/rank_starter.hpp"
#include "launcher/agent/warnings.hpp"
#include "launcher/core/channel.hpp"
#include "launcher/core/job.hpp"
#include "launcher/core/loop.hpp"
#include "launcher/core/process.hpp"
#include "launcher/pmix/modex.hpp"
#include "launcher/pmix/pmix_loader.hpp"
#include "launcher/streams/rank_input.hpp"
#include "launcher/streams/rank_output.hpp"
#include "launcher/tree/children.hpp"
#include "launcher/tree/fences.hpp"
#include "launcher/tree/host_keepalive.hpp"

namespace cow::launch {

struct AgentPlan {
  int in = 0;  // the channel to the parent: mpirun, or another agent
  int out = 1;
  bool remote = false;   // the parent is on another host
  int input = -1;        // rank 0's standard input, when this host's mpirun passed its own
  pid_t supervisor = 0;  // the parent; when it is gone, this agent ends everything
  SignalState signals;   // for the ranks
};

class Agent : private PmixClientEvents, private ChildEvents {
 public:
  explicit Agent(const AgentPlan& plan);
  int run();  // the exit status

 private:
  struct Rank {
    pid_t pid = -1;  // -1: not running
    bool connected = false;
    bool finalized = false;
    bool is_left = false;  // its process has ended well, but not what that has started, which may yet take its place
  };
  void on_frame(const Frame& frame);
  void obey(const frames::Job& frame);
  void obey(const frames::Input& input);
  void obey(const frames::OutputCredit& credit);
  void obey(const frames::Signal& signal);
  void obey(const frames::End& how);
  void obey(const frames::FenceAnswer& answer);
  void obey(const frames::ModexQuestion& asked);
  void obey(const frames::ModexAnswer& answer);
  void obey(const frames::Event& event);
  void obey(const frames::Goodbye&);
  template <class Content>
  void tell(const Content& content) {  // mpirun
    channel_.send(self_, content);
  }
  // Starts those in `ranks`, which are of this node. The place for MPI_Comm_spawn: a frame (11 in wire.hpp) that adds
  // applications and places to job_ ends in a call with the new ranks, after PmixServer::register_job() of a namespace for
  // them. What they inherit is opened anew, output, input and ends are kept by rank, and `running_` counts all. Whoever
  // waits for the end of the job must then ask mpirun first, since more may be on its way.
  bool start_ranks(const std::vector<std::uint32_t>& ranks);
  void take_started(const RankStarter::Started& started);
  std::vector<std::uint32_t> ranks_here() const;
  int input_of(std::uint32_t rank);
  void ask_for_input();
  void ask_local(std::uint64_t question, std::uint32_t rank, Duration patience);
  void pmix_started(const std::string& wrong);
  void answer_fence(std::uint64_t fence, int status, std::string_view data);  // to the ranks of this node
  void answer_modex(std::uint64_t question, int status, std::string_view data);
  void on_signal();
  void reap();
  void on_exit(pid_t pid, int status);
  bool lives_on(std::uint32_t rank);
  std::vector<pid_t> strays() const;
  pid_t left_of(std::uint32_t rank, const std::vector<pid_t>& strays) const;
  void look_after_left();
  void ended(std::uint32_t rank, int status);
  void signal_ranks(int signal);
  void end(milliseconds grace);
  void when_all_ended();
  void say_goodbye();
  void leave();
  std::vector<pid_t> others() const;
  void complain(const std::string& text);
  [[noreturn]] void give_up(int status);

  void on_connected(std::uint32_t rank) override;
  void on_finalized(std::uint32_t rank) override;
  void on_abort(std::uint32_t rank, int status, std::string_view message) override;
  void on_fence(std::uint64_t fence, const std::vector<std::uint32_t>& ranks, milliseconds limit,
                std::string_view data) override;
  void on_modex_request(std::uint64_t question, std::uint32_t rank, milliseconds limit) override;
  void on_modex_answer(std::uint64_t question, int status, std::string_view data) override;
  void on_event(int status, std::uint32_t rank, std::string_view infos) override;
  void on_why(std::uint32_t rank, std::string_view lines) override;

  void open_fences();
  void start_children(std::string_view common);
  void on_child_frame(const Frame& frame) override;
  void on_child_lost(std::uint32_t node, int status, const std::string& why) override;
  void on_child_words(std::uint32_t node, std::string_view text) override;
  void on_child_watched(std::uint32_t node) override;
  void on_child_started(std::uint32_t, const Child&) override {}
  void on_child_end(std::uint32_t node) override;

  AgentPlan plan_;
  Loop loop_;
  int signals_;
  Channel channel_;
  PmixLoader pmix_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> for_pmix_;  // questions about ranks that came before it
  Inheritance inheritance_;
  RankLines lines_;
  Modex modex_;
  std::unique_ptr<RankOutput> output_;
  std::map<std::uint32_t, RankInput> inputs_;  // of the ranks here that mpirun sends input to
  Job job_;
  std::uint32_t self_ = unknown_node;
  std::string common_;  // what is passed on of the job
  std::unique_ptr<Routes> routes_;
  std::unique_ptr<Fences> fences_;
  std::unique_ptr<Children> children_;  // null: there are no agents below this one
  std::unique_ptr<Keepalive> keepalive_;
  std::map<std::uint32_t, Rank> ranks_;
  Warnings warnings_;
  bool input_asked_ = false;  // and not yet given
  std::size_t running_ = 0;
  bool looking_soon_ = false;  // after ranks of which something may be left
  bool over_ = false;          // no rank is started any more
  bool ending_ = false;        // all ranks have ended
  bool finished_ = false;      // and all that they wrote has been passed on
  bool said_goodbye_ = false;
  bool dismissed_ = false;  // mpirun wants nothing more of this agent
  std::uint64_t kill_timer_ = 0;
  int status_ = 0;
};

}  // namespace cow::launch
