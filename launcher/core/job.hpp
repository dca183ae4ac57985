// What an agent must know to start its part of a job, and the agents below it: the content of the job frame.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launcher/core/plans.hpp"
#include "launcher/core/wire.hpp"

namespace cow::launch {

// One program of the job (several when the command line has a colon).
struct Application {
  std::vector<std::string> argv;
  std::string directory;                 // where its ranks start; never empty
  std::vector<std::string> environment;  // NAME=value beside those of the job
};

struct Place {
  std::uint32_t node = 0;         // index into Job::nodes
  std::uint32_t application = 0;  // index into Job::applications
  std::uint32_t slot = 0;         // its number among the ranks of its node, by which it is bound
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
  std::uint32_t start_timeout = 0;     // milliseconds a node may take to answer
  std::uint32_t host_timeout = 0;      // milliseconds of silence after which a host is lost
};

struct Job {
  std::string name;  // the PMIx namespace
  std::string key;   // the job's secret, 32 bytes
  std::vector<std::string> environment;  // of every rank: mpirun's own and what its options set
  std::vector<Application> applications;
  std::vector<std::string> nodes;  // names as the user wrote them
  std::vector<Place> ranks;        // by rank
  std::uint32_t node = 0;          // the reader's own index
  std::uint32_t output_window = 1 << 20;  // bytes of output on their way from this agent to mpirun's own output
  std::uint32_t flush_after = 0;   // milliseconds after which an unfinished line is passed on; 0: never before its end
  Input input = Input::none;
  std::uint32_t input_rank = 0;    // who reads it; all_ranks: each gets all of it
  BindingPlan binding;
  StartPlan start;
  KeepalivePlan keepalive;           // to the reader's parent
};

// The part that all nodes share is written once, and passed on as it is; write_job() is the body for one of them.
std::string write_common(const Job& job);
Writer write_job(std::string_view common, std::uint32_t node, const KeepalivePlan& keepalive);

// False when the bytes are not a job that makes sense (indices out of range, no key, an empty program …).
bool read_job(Reader body, Job& out);

// The common part of a body that read_job() has accepted.
std::string_view common_part(Reader body);

}  // namespace cow::launch
