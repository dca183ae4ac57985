// mpirun's connection to the agent of one node, and the process it runs through: the node's guard on this host, a
// remote shell elsewhere.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "launcher/channel.hpp"
#include "launcher/process.hpp"

namespace cow::launch {

struct Node {
  std::string name;
  bool is_here = false;
  std::string command;      // as a message shows it
  pid_t pid = -1;           // guard or remote shell; -1 when it was reaped
  int wait_status = 0;      // valid when it was reaped
  bool reaped = false;
  bool greeted = false;     // the agent has said hello
  bool done = false;        // the agent has said goodbye
  bool closed = false;      // the channel is at its end
  std::string said;         // the remote shell's standard error until the agent's hello, at most 16 KiB
  int error_fd = -1;        // that standard error
  std::unique_ptr<Channel> channel;
  std::uint32_t credit = 0;  // output that has left, not yet told to the agent
  std::string host;          // what the agent calls itself
};

struct NodeStart {
  std::string agent;             // path of the agent program on that node
  std::string remote_shell;      // words separated by blanks
  bool srun = false;             // it is srun: no shell on the other side, and signals of the terminal are not for it
  int input = -1;                // passed to an agent here, for rank 0
  const SignalState* signals = nullptr;  // as mpirun was started
};

// Starts the node's process; `fds` takes the channel's descriptors (in, out). Empty, or what went wrong.
std::string start_node(Node& node, const NodeStart& how, int fds[2]);

// Why the node's process ended without the agent's goodbye: one line, and for a remote shell the command and what it
// said on further lines.
std::string explain_loss(const Node& node);

// The words of a signal or an exit: "signal 9 (Killed)".
std::string name_signal(int signal);

}  // namespace cow::launch
