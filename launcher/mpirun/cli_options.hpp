// One part of the command line (several are separated by colons), as written: which options there are.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "launcher/placement/mapping.hpp"

namespace cow::launch {

struct CliOptions {
  std::uint32_t ranks = 0;
  std::string directory;
  std::vector<std::string> exports;                      // -x NAME or NAME=value
  std::vector<std::pair<std::string, std::string>> set;  // -env NAME value
  std::vector<std::pair<std::string, std::string>> set_for_all;
  std::string host_list, host_file, prefix;
  MappingWords mapping;
  bool report_bindings = false;
  double timeout_seconds = 0;
  bool tag = false, times = false, oversubscribe = false, verbose = false, dry_run = false, ignored = false;
  std::string output_files, input_rank, display, application_file;
  std::string ignored_text;
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
