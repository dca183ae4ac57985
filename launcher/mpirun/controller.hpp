// mpirun while a job runs: the root of the tree of agents; passes input, output and signals on, and decides how the job ends.
#pragma once

#include <string>
#include <vector>

#include "launcher/core/job.hpp"
#include "launcher/core/loop.hpp"
#include "launcher/mpirun/options.hpp"
#include "launcher/mpirun/why.hpp"
#include "launcher/rm/slurm_signals.hpp"
#include "launcher/streams/outputs.hpp"
#include "launcher/tree/children.hpp"
#include "launcher/tree/fences.hpp"

namespace cow::launch {

class Controller : private ChildEvents {
 public:
  // `signals`: as mpirun was started.
  Controller(const Options& options, Job job, const SignalState& signals);
  ~Controller() override;
  int run();  // the exit status

 private:
  struct Node {
    bool greeted = false;      // the agent has said hello
    bool done = false;         // and goodbye
    bool closed = false;       // nothing more comes from it
    std::uint32_t credit = 0;  // output that has left, not yet told to the agent
  };
  struct Rank {
    pid_t pid = 0;
    bool ended = false;
    bool connected = false;
    bool left_silently = false;  // ended well without ever having called PMIx_Init
  };

  // Frames are handled by on(), with the node that they are from.

  // Nodes.
  void plan_tree();
  std::string lack_of_descriptors() const;
  void start_nodes();
  void settle();
  void listen_to_slurm();
  void on_child_frame(const Frame& frame) override;
  void on_child_lost(std::uint32_t node, int status, const std::string& why) override;
  void on_child_words(std::uint32_t node, std::string_view text) override;
  void on_child_watched(std::uint32_t node) override;
  void on_child_started(std::uint32_t node, const Child& child) override;
  void on_child_end(std::uint32_t node) override;
  void on(std::uint32_t node, const frames::Hello& hello);
  void on(std::uint32_t node, const frames::Complaint& complaint);
  void on(std::uint32_t node, const frames::Watched&);
  void on(std::uint32_t node, const frames::RemoteWords& words);
  void on(std::uint32_t node, const frames::LostNode& lost);
  void on(std::uint32_t node, const frames::Goodbye&);
  void close_node(std::uint32_t node);
  void reap();
  void stop_when_done();

  // Ranks.
  void on(std::uint32_t node, const frames::Started& started);
  void on(std::uint32_t node, const frames::StartFailure& failure);
  void on(std::uint32_t node, const frames::Connected& connected);
  void on(std::uint32_t node, const frames::Exited& exited);
  void on(std::uint32_t node, const frames::Aborted& aborted);
  std::string who(std::uint32_t rank) const;
  void check_silent_leavers();

  // What the ranks of different nodes want of each other.
  void on(std::uint32_t node, const frames::Fence& fence);
  void on(std::uint32_t node, const frames::ModexRequest& asked);
  void on(std::uint32_t node, const frames::ModexAnswer& answer);
  void on(std::uint32_t node, const frames::Event& event);

  // Streams.
  void on(std::uint32_t node, const frames::Output& output);
  void output_has_left(std::uint32_t node, std::uint32_t bytes);
  void output_failed(const std::string& what, int error);
  void on(std::uint32_t node, const frames::Bindings& bindings);
  void on(std::uint32_t node, const frames::InputCredit& credit);
  void send_input();
  void say(const std::string& text);
  void tell(const std::string& text);  // when --verbose was given

  // Ends.
  void on_signal();
  void on_user_signal(int signal);
  void on(std::uint32_t node, const frames::Why& told);
  void ask_why();
  void fail(int status, const std::string& line);
  void end_all(milliseconds grace);
  void abandon();

  const Options& options_;
  Job job_;
  SignalState signals_before_;
  Loop loop_;
  int signals_;
  std::string common_;  // the job frame's common part
  std::unique_ptr<Children> children_;
  std::vector<bool> here_;  // nodes that are mpirun's own
  std::unique_ptr<SlurmSignals> slurm_ear_;
  std::vector<Node> nodes_;
  std::vector<Rank> ranks_;
  std::unique_ptr<Fences> fences_;
  Questions questions_;
  Outputs outputs_;
  std::vector<bool> input_nodes_;     // those whose ranks read what mpirun sends
  std::vector<bool> asks_for_input_;  // those that have read what came
  std::uint32_t input_credit_ = 0;    // the least that any of them asked for
  bool input_at_end_ = false;
  bool started_ = false;   // some rank runs
  bool settling_ = false;  // settle() has been called
  bool failed_ = false;
  int status_ = 0;
  Why why_;
  bool asking_why_ = false;
  int passed_signal_ = 0;  // the last deadly one that was passed on
};

// Where the installation is that this program belongs to.
std::string own_prefix();

}  // namespace cow::launch
