// The command line of mpirun.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/settings.hpp"
#include "launcher/core/job.hpp"
#include "launcher/placement/hosts.hpp"
#include "launcher/placement/mapping.hpp"

namespace cow::launch {

// One program of the command line (several are separated by a colon).
struct Program {
  std::uint32_t ranks = 0;  // 0: not said
  Application application;
  std::string soft;         // counts that would do, as written; empty: `ranks` alone
  std::vector<Host> hosts;  // its own; empty: those of the job
  std::string host_source;
};

enum class InputTo : std::uint8_t { none, one, all };

struct Options {
  std::vector<Program> programs;
  std::vector<Host> hosts;           // empty: this one
  std::string host_source;           // how the hosts were named, for messages
  bool srun = false;                 // agents are started with srun
  std::string prefix;                // of the installation on other hosts; empty: as here
  milliseconds timeout{};            // 0: none
  std::uint32_t allocated_cpus = 0;  // of each host, by a resource manager; 0: it did not say
  MappingPlan mapping;
  InputTo input = InputTo::one;  // who gets mpirun's standard input
  std::uint32_t input_rank = 0;
  bool tag_output = false;
  bool time_output = false;
  bool merge_output = false;  // standard error goes where standard output does
  std::string output_files;   // the beginning of their names; empty: none
  std::string pid_file;       // where mpirun's process number goes: -, + (standard error) or a file; empty: nowhere
  bool show_map = false;
  bool dry_run = false;
  bool verbose = false;
  bool report_ends = false;  // of all ranks
  Settings settings;
  std::vector<std::string> environment;  // for every rank
};

// The exit status when there is nothing to start: help and version were printed (0), or the command line was wrong and
// that was said on standard error (2).
std::optional<int> parse_options(int argc, const char* const* argv, const char* const* environment, Options& out);

}  // namespace cow::launch
