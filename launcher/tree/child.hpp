// The connection to the agent of one node from its parent (mpirun or another agent), and the process it runs through:
// the node's supervisor on this host, a remote shell elsewhere.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "launcher/core/channel.hpp"
#include "launcher/core/process.hpp"

namespace cow::launch {

struct Child {
  std::uint32_t node = 0;
  std::string name;
  std::string from;  // the parent's host, when that is an agent
  bool is_here = false;
  std::string command;  // as a message shows it
  pid_t pid = -1;       // supervisor or remote shell; -1 when it was reaped
  int wait_status = 0;  // valid when it was reaped
  bool reaped = false;
  bool greeted = false;  // the agent has said hello
  bool done = false;     // the agent has said goodbye
  bool closed = false;   // the channel is at its end
  bool lost = false;     // and there was no goodbye, which has been told
  std::string said;      // the remote shell's standard error until the agent's hello, at most 16 KiB
  int error_fd = -1;     // that standard error
  std::unique_ptr<Channel> channel;
};

struct ChildStart {
  std::string agent;         // path of the agent program on that node
  std::string remote_shell;  // words separated by blanks
  bool srun = false;         // it is srun: no shell on the other side, and signals of the terminal are not for it
  int input = -1;            // passed to an agent here, for rank 0
  const SignalState* signals = nullptr;  // as mpirun was started, or as its agent treats those it starts
};

// Starts the child's process; `fds` takes the channel's descriptors (in, out). Empty, or what went wrong.
std::string start_child(Child& child, const ChildStart& how, int fds[2]);

// Why the child's process ended without the agent's goodbye: one line, and for a remote shell the command and what it
// said on further lines.
std::string explain_loss(const Child& child);

// The exit status of an agent that has not heard of its parent's host for too long.
inline constexpr int parent_is_silent = 4;

// The words of a signal or an exit: "signal 9 (Killed)".
std::string name_signal(int signal);

}  // namespace cow::launch
