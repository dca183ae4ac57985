// mpirun while a job runs: talks to the agents, passes input, output and signals on, and decides how the job ends.
#pragma once

#include <string>
#include <vector>

#include "launcher/fences.hpp"
#include "launcher/job.hpp"
#include "launcher/loop.hpp"
#include "launcher/node.hpp"
#include "launcher/options.hpp"
#include "launcher/outputs.hpp"
#include "launcher/why.hpp"

namespace cow::launch {

class Controller {
 public:
  // `signals`: as mpirun was started.
  Controller(const Options& options, Job job, const SignalState& signals);
  ~Controller();
  int run();  // the exit status

 private:
  struct Rank {
    pid_t pid = 0;
    bool ended = false;
    bool connected = false;
    bool left_silently = false;  // ended well without ever having called PMIx_Init
  };

  // Nodes.
  bool start_nodes();
  bool start(std::uint32_t node);
  void on_frame(std::uint32_t node, Kind kind, Reader body);
  void on_hello(std::uint32_t node, Reader body);
  void on_node_error(std::uint32_t node);
  void on_channel_end(std::uint32_t node);
  void reap();
  void judge(std::uint32_t node);
  void stop_when_done();
  void watch_hosts();
  bool is_here(const std::string& name) const;
  void on_lost(std::uint32_t node, bool silent);

  // Ranks.
  void on_started(Reader body);
  void on_start_failure(std::uint32_t node, Reader body);
  void on_connected(Reader body);
  void on_exited(Reader body);
  void on_aborted(Reader body);
  std::string who(std::uint32_t rank) const;
  void check_silent_leavers();

  // What the ranks of different nodes want of each other.
  void on_fence(std::uint32_t node, Reader body);
  void on_modex_request(std::uint32_t node, Reader body);
  void on_modex_answer(Reader body);
  void on_event(std::uint32_t node, Reader body);

  // Streams.
  void on_output(std::uint32_t node, Reader body);
  void output_has_left(std::uint32_t node, std::uint32_t bytes);
  void output_failed(const std::string& what, int error);
  void on_bindings(std::uint32_t node, Reader body);
  void on_input_credit(std::uint32_t node, std::uint32_t bytes);
  void send_input();
  void say(const std::string& text);
  void tell(const std::string& text);  // when --verbose was given

  // Ends.
  void on_signal();
  void on_user_signal(int signal);
  void on_why(std::uint32_t rank, std::string_view text);
  void ask_why();
  void fail(int status, const std::string& line);
  void end_all(std::uint32_t grace);
  void abandon();
  void broadcast(Kind kind, const Writer& body);

  const Options& options_;
  Job job_;
  SignalState signals_before_;
  Loop loop_;
  int signals_;
  std::string common_;  // the job frame's common part
  std::vector<Node> nodes_;
  std::vector<Rank> ranks_;
  Fences fences_;
  Questions questions_;
  Outputs outputs_;
  std::vector<bool> input_nodes_;       // those whose ranks read what mpirun sends
  std::vector<bool> asks_for_input_;    // those that have read what came
  std::uint32_t input_credit_ = 0;      // the least that any of them asked for
  bool input_at_end_ = false;
  std::unique_ptr<LifelineServer> lifelines_;  // null: all is on this host
  bool started_ = false;   // some rank runs
  bool failed_ = false;
  int status_ = 0;
  Why why_;
  bool asking_why_ = false;
  int passed_signal_ = 0;  // the last deadly one that was passed on
};

// Where the installation is that this program belongs to.
std::string own_prefix();

}  // namespace cow::launch
