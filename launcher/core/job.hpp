// What an agent must know to start its part of a job, and the agents below it: it travels in frames::Job.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "launcher/core/frames.hpp"
#include "launcher/core/plans.hpp"

namespace cow::launch {

// One program of the job (several when the command line has a colon).
struct Application {
  std::vector<std::string> argv;
  std::string directory;                 // where its ranks start; never empty
  std::vector<std::string> environment;  // NAME=value beside those of the job
  std::string path;                      // directories, with colons, where argv[0] is looked for before PATH
  static auto fields(auto& self) { return std::tie(self.argv, self.directory, self.environment, self.path); }
};

struct Place {
  std::uint32_t node = 0;         // index into Job::nodes
  std::uint32_t application = 0;  // index into Job::applications
  std::uint32_t slot = 0;         // its number among the ranks of its node, by which it is bound
  static auto fields(auto& self) { return std::tie(self.node, self.application, self.slot); }
};

// Where the standard input of rank Job::input_rank comes from.
enum class Input : std::uint8_t {
  none = 0,       // /dev/null
  inherited = 1,  // the agent was started with it: nothing is read that the rank does not read itself
  sent = 2,       // input frames, as fast as the rank's pipe takes them
  on_demand = 3,  // input frames, asked for only while the rank waits for input: mpirun reads a terminal
};

inline constexpr std::uint32_t all_ranks = ~0u;

// How agents start other agents.
struct StartPlan {
  std::vector<std::uint32_t> parents;  // of each node; tree.hpp
  std::string agent;                   // path of the agent program on other hosts than mpirun's
  std::string remote_shell;            // words separated by blanks
  bool srun = false;                   // it is srun: no shell on the other side
  milliseconds start_timeout{};        // for a node to answer
  milliseconds host_timeout{};         // of silence after which a host is lost
  static auto fields(auto& self) {
    return std::tie(self.parents, self.agent, self.remote_shell, self.srun, self.start_timeout, self.host_timeout);
  }
};

struct Job {
  std::string name;                      // the PMIx namespace
  std::string key;                       // the job's secret, 32 bytes
  std::vector<std::string> environment;  // of every rank: mpirun's own and what its options set
  std::vector<Application> applications;
  std::vector<std::string> nodes;         // names as the user wrote them
  std::vector<Place> ranks;               // by rank
  std::uint32_t node = 0;                 // the reader's own index
  std::uint32_t output_window = 1 << 20;  // bytes of output on their way from this agent to mpirun's own output
  milliseconds flush_after{};             // after which an unfinished line is passed on; 0: never before its end
  Input input = Input::none;
  std::uint32_t input_rank = 0;  // who reads it; all_ranks: each gets all of it
  BindingPlan binding;
  std::string rank_names = "no";  // COW_RANK_NAMES
  StartPlan start;
  KeepalivePlan keepalive;  // to the reader's parent

  // What all nodes share; `node` and `keepalive` stand beside it in the frame.
  static auto fields(auto& self) {
    return std::tie(self.name, self.key, self.environment, self.applications, self.nodes, self.ranks,
                    self.output_window, self.flush_after, self.input, self.input_rank, self.binding, self.rank_names,
                    self.start);
  }
};

// The part that all nodes share: written once, and passed on as it is.
std::string write_common(const Job& job);

// False when that is not a job that makes sense (indices out of range, no key, an empty program …).
bool read_job(const frames::Job& frame, Job& out);

}  // namespace cow::launch
