// Starting the process of a rank, and ending whole families of processes.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "launcher/core/time.hpp"

namespace cow::launch {

// How signals were treated when this program started: ranks begin so.
struct SignalState {
  sigset_t mask;
  sigset_t ignored;
  static SignalState now();
};

struct ProcessPlan {
  std::string program;  // a path
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string directory;
  int input = -1;  // become 0, 1, 2; the caller keeps and closes its own
  int output = -1;
  int error = -1;
  int kept[2] = {-1, -1};  // stay open under the same numbers; nothing else does
  const SignalState* signals = nullptr;
  std::vector<std::uint32_t> cpus;  // on which it may run; empty: where this process may
};

struct StartedProcess {
  pid_t pid = -1;
  int error = 0;     // errno, when pid is -1
  std::string what;  // the step that failed, with its object: "cannot enter /x", "cannot run ./a.out"
};

// The process leads a process group of its own and is killed when this thread ends. Returns when the program runs (or
// could not be run), because the child borrows this process's memory until then.
StartedProcess start_process(const ProcessPlan& plan);

// Several, on as many threads as help; none is started any more after one has failed (then its `what` is empty). The
// threads stay, because the processes that they started end with them.
std::vector<StartedProcess> start_processes(const std::vector<const ProcessPlan*>& plans);

// The file that execvp would take for `name`, seen from `directory`, with `first` (directories separated by colons) and then
// the PATH of `environment`. Empty: none. `error` takes the errno then.
std::string find_program(const std::string& name, const std::string& directory, const std::string& first,
                         const std::vector<std::string>& environment, int& error);

// Sets NAME=value in a list of such strings, in place of an earlier one.
void set_variable(std::vector<std::string>& environment, const std::string& assignment);

// The parent of a process; 0 when that cannot be told.
pid_t parent_of(pid_t pid);

// Everything alive below `root`, without `root`.
std::vector<pid_t> descendants_of(pid_t root);

// Sends SIGKILL to everything below this process but those in `spared` and what is below them; returns whom it was sent
// to. Only a subreaper is sure that nothing escapes it by daemonizing.
std::vector<pid_t> kill_descendants(const std::vector<pid_t>& spared = {});

// kill_descendants() until nobody is left but those spared, or the time is over. For a subreaper.
void kill_all_children(Duration limit, const std::vector<pid_t>& spared = {});

}  // namespace cow::launch
