// Makes processes of the ranks of a node: finds their programs, chooses their CPUs, and gives each what it inherits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "launcher/agent/inheritance.hpp"
#include "launcher/core/frames.hpp"
#include "launcher/core/job.hpp"
#include "launcher/core/process.hpp"
#include "launcher/placement/binding.hpp"

namespace cow::launch {

class RankStarter {
 public:
  static constexpr std::size_t batch = 64;  // ranks that are started at a time
  static constexpr std::size_t files_while_starting =
      3;  // that each of these takes beside what stays open: its own ends

  struct Plan {
    const SignalState* signals = nullptr;
    const Inheritance* inherited = nullptr;
    std::vector<std::string> environment;                                   // NAME=value, beside that of the job
    std::function<std::vector<std::string>(std::uint32_t rank)> variables;  // of one rank alone
    std::function<int(std::uint32_t rank)>
        input;  // the descriptor that it is to read, which is closed here; -1: /dev/null
  };
  struct Started {
    std::uint32_t rank;
    pid_t pid;
    int output, errors;  // the ends that the agent reads
  };
  struct Outcome {
    std::vector<Started> started;
    StartedProcess failure;  // the first, of `failed`; none when its `what` is empty
    std::uint32_t failed = 0;
    std::string wrong;          // nothing was started, through no fault of a program
    frames::Bindings bindings;  // of those started, when the job wants them reported
  };

  // `job` lives longer than this.
  RankStarter(const Job& job, Plan plan) : job_(job), plan_(std::move(plan)) {}

  // Starts these, which are of this node, until one fails.
  Outcome start(const std::vector<std::uint32_t>& ranks);

 private:
  // A rank on its way to be a process.
  struct Starting {
    std::uint32_t rank = 0;
    ProcessPlan plan;
    StartedProcess process;
    int output = -1, errors = -1;
  };

  std::string choose_binding(const std::vector<std::uint32_t>& ranks);
  void make_environments();
  void start_in_batches(const std::vector<std::uint32_t>& ranks, Outcome& out);
  bool start_batch(const std::uint32_t* ranks, std::size_t count, Outcome& out);
  void prepare(Starting& out, std::uint32_t rank);
  void open_streams(Starting& out);
  void report_bindings(Outcome& out) const;

  const Job& job_;
  Plan plan_;
  std::vector<std::uint32_t> here_;                     // the ranks of this node, in rising order
  std::vector<std::vector<std::string>> environments_;  // by application
  std::map<std::uint32_t, std::string> programs_;       // where each application's was found
  std::unique_ptr<Machine> machine_;                    // null: nobody asks what it is like
  std::map<std::uint32_t, Cpus> cpus_;                  // of ranks that are bound
};

}  // namespace cow::launch
