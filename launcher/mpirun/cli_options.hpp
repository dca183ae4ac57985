// One part of the command line (several are separated by colons), as written: which options there are.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/mpirun/passed_variables.hpp"
#include "launcher/placement/mapping.hpp"

namespace cow::launch {

struct CliOptions {
  // Of one program.
  std::uint32_t ranks = 0;
  std::string soft, directory, path, architecture, file;
  std::vector<std::string> exports;                      // -x NAME or NAME=value
  std::vector<std::pair<std::string, std::string>> set;  // -env NAME value
  PassedVariables passed;
  std::string initial_errhandler;
  std::optional<std::string> memory_kinds;
  std::string host_list, host_file;
  // Of the job.
  std::vector<std::pair<std::string, std::string>> set_for_all;
  PassedVariables passed_to_all;
  std::string prefix;
  MappingWords mapping;
  bool report_bindings = false, no_local = false;
  double timeout_seconds = 0;
  bool tag = false, times = false, merge_output = false, oversubscribe = false, verbose = false, report_ends = false,
       quiet = false, dry_run = false, ignored = false;
  std::vector<std::string> display, output;
  std::string output_files, input_rank, application_file, pid_file;
  std::map<std::string, std::string> settings;  // by variable
};

// A page of the help, which is also a group of options.
struct Topic {
  const char* word;  // --help WORD
  const char* title;
};
inline constexpr Topic per_program{"program", "For one program (the part of the command line up to a colon)"};
inline constexpr Topic on_hosts{"hosts", "Hosts"};
inline constexpr Topic on_placement{"placement", "Placement"};
inline constexpr Topic on_streams{"streams", "Input and output"};
inline constexpr Topic on_ends{"job", "The job as a whole"};
inline constexpr Topic on_settings{"settings",
                                   "Settings of the library (each also as a COW_ variable; cowinfo explains them)"};
inline constexpr Topic topics[] = {per_program, on_hosts, on_placement, on_streams, on_ends, on_settings};

void add_options(CLI::App& app, CliOptions& part);

// What --help says: all, or one topic's options. False: no such topic.
bool write_help(CLI::App& app, const std::string& topic);

}  // namespace cow::launch
