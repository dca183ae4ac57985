// What a parent in the tree (mpirun, or an agent between it and others) has below it: starts its children, passes
// frames to and from everything below them, and notices when one of them is lost.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "launcher/core/job.hpp"
#include "launcher/core/loop.hpp"
#include "launcher/core/tree.hpp"
#include "launcher/tree/child.hpp"
#include "launcher/tree/host_keepalive.hpp"

namespace cow::launch {

// The exit status of mpirun when the job could not be started or carried on, through no fault of a rank.
inline constexpr int own_failure = 125;

class ChildEvents {
 public:
  virtual ~ChildEvents() = default;
  // From a node below, which is frame.node.
  virtual void on_child_frame(const Frame& frame) = 0;
  // A child and all below it are gone without its goodbye; told once. `status` is what mpirun is to end with.
  virtual void on_child_lost(std::uint32_t node, int status, const std::string& why) = 0;
  virtual void on_child_words(std::uint32_t node, std::string_view text) = 0;  // of its remote shell, once it runs
  virtual void on_child_watched(std::uint32_t node) = 0;  // the kernels of both ends watch the connection
  virtual void on_child_started(std::uint32_t node, const Child& child) = 0;
  virtual void on_child_end(std::uint32_t node) = 0;  // its channel and its process have ended
};

struct ChildrenPlan {
  std::uint32_t self = no_node;
  std::string self_name;   // an agent's host, for messages; empty: mpirun
  std::vector<bool> here;  // by node: on this host, by a plain fork; empty: none is
  std::string agent_here;  // path of the agent program for those
  int input = -1;          // given to the node `input_node`, which is here
  std::uint32_t input_node = no_node;
  const SignalState* signals = nullptr;  // for the children
};

class Children {
 public:
  // `job` and `common`, its description, belong to the caller and stay.
  Children(Loop& loop, ChildEvents& events, const Job& job, std::string_view common, ChildrenPlan plan);
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  ~Children();

  const Routes& routes() const { return routes_; }
  void start();

  // To a node below, or to `everyone`. Nothing happens when the node is cut off.
  template <class Content>
  void send(std::uint32_t node, const Content& content) {
    pass_on({Content::kind, node, write_fields(content)});
  }
  void pass_on(const Frame& frame);

  // No child gets the job any more; those that have not answered are lost.
  void stop_starting();
  void cut_off();    // closes all channels: what is below kills all that is there
  void kill_rest();  // the processes of channels that are closed

  bool on_exit(pid_t pid, int wait_status);  // false: it is none of these
  bool all_done() const;                     // each has said goodbye, or is closed
  bool all_closed() const;
  bool all_gone() const;                 // closed, and its process has ended
  std::vector<pid_t> processes() const;  // that run
  std::size_t count() const { return children_.size(); }

 private:
  void start(Child& child);
  void on_frame(Child& child, const Frame& frame);
  void greet(Child& child);
  void on_error_output(Child& child);
  void on_channel_end(Child& child);
  void on_silence(std::uint32_t node, bool silent);
  void judge(Child& child);
  void lose_silent(Child& child);
  void lose(Child& child, int status, const std::string& why);
  Child* find(std::uint32_t node);

  Loop& loop_;
  ChildEvents& events_;
  const Job& job_;
  std::string_view common_;
  ChildrenPlan plan_;
  Routes routes_;
  bool stopped_ = false;
  std::vector<std::unique_ptr<Child>> children_;
  std::unique_ptr<KeepaliveServer> keepalives_;  // null: all children are on this host
  KeepalivePlan keepalive_;                      // for the children
};

}  // namespace cow::launch
