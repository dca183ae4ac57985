#include "launcher/mpirun/options.hpp"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "launcher/core/process.hpp"
#include "launcher/mpirun/cli_options.hpp"
#include "launcher/rm/allocation.hpp"

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

void complain(const string& text) { fprintf(stderr, "mpirun: %s\n", text.c_str()); }

string unknown_option(const CLI::App& app, const string& name) {
  std::vector<string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const string& word : option->get_lnames()) names.push_back("--" + word);
    for (const string& word : option->get_snames()) names.push_back("-" + word);
  }
  const string near = nearest_word(name, std::vector<string_view>(names.begin(), names.end()));
  return "unknown option " + name + (near.empty() ? "" : " (did you mean " + near + "?)") + "; --help lists all";
}

// Cuts a part of the command line in front of its program, and writes the options that other launchers spell with one
// dash (-np, -wdir) with two. Which words are values of options decides where the program begins.
struct Cut {
  std::vector<string> options;
  std::vector<string> program;
  string error;
};

Cut cut_at_program(const CLI::App& app, const std::vector<string>& words) {
  Cut out;
  size_t i = 0;
  while (i < words.size()) {
    string word = words[i];
    if (word == "--") {
      ++i;
      break;
    }
    if (word.size() < 2 || word[0] != '-') break;
    const size_t equals = word.find('=');
    string name = word.substr(0, equals);
    const CLI::Option* option = nullptr;
    if (name.starts_with("--")) {
      option = app.get_option_no_throw(name);
    } else if (name.size() > 2 && (option = app.get_option_no_throw("-" + name))) {
      word.insert(0, 1, '-');
    } else {
      option = app.get_option_no_throw(name.substr(0, 2));  // -n4 holds its value
      if (option && name.size() > 2) {
        out.options.push_back(word);
        ++i;
        continue;
      }
    }
    if (!option) {
      out.error = unknown_option(app, name);
      return out;
    }
    out.options.push_back(word);
    ++i;
    int values = option->get_type_size() * std::max(option->get_expected_max() > 0 ? 1 : 0, 0);
    if (equals != string::npos) --values;
    for (; values > 0 && i < words.size(); --values) out.options.push_back(words[i++]);
  }
  out.program.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
  return out;
}

string current_directory() {
  // The shell's own name for it, when it is the same place: symbolic links stay as the user knows them.
  struct stat here, named;
  const char* name = getenv("PWD");
  if (name && *name == '/' && stat(".", &here) == 0 && stat(name, &named) == 0 && here.st_dev == named.st_dev &&
      here.st_ino == named.st_ino) {
    return name;
  }
  std::error_code error;
  const string path = std::filesystem::current_path(error).string();
  return error ? "/" : path;
}

string take_program(const CliOptions& part, std::vector<string> argv, Program& out) {
  out.ranks = part.ranks;
  out.application.argv = std::move(argv);
  string directory = current_directory();
  if (!part.directory.empty()) directory = part.directory[0] == '/' ? part.directory : directory + "/" + part.directory;
  out.application.directory = directory;
  for (const string& text : part.exports) {
    if (text.empty() || text[0] == '=') return "-x " + text + ": expected NAME or NAME=VALUE";
    if (text.find('=') != string::npos) out.application.environment.push_back(text);
  }
  for (const auto& [name, value] : part.set) {
    if (name.empty() || name.find('=') != string::npos) return "--env " + name + ": this is no name of a variable";
    out.application.environment.push_back(name + "=" + value);
  }
  return {};
}

string take_hosts(const CliOptions& part, Options& out) {
  if (!part.host_list.empty() && !part.host_file.empty()) return "--host and --hostfile exclude each other";
  Hosts hosts;
  if (!part.host_list.empty()) {
    hosts = parse_host_list(part.host_list);
    out.host_source = "--host";
  } else if (!part.host_file.empty()) {
    std::ifstream file(part.host_file, std::ios::binary);
    if (!file || std::filesystem::is_directory(part.host_file)) {
      return "cannot read the hostfile " + part.host_file + ": " + strerror(file ? EISDIR : errno);
    }
    hosts = parse_hostfile(string(std::istreambuf_iterator<char>(file), {}));
    out.host_source = "the hostfile " + part.host_file;
  }
  if (!hosts.error.empty()) return out.host_source + ": " + hosts.error;
  out.hosts = std::move(hosts.list);
  return {};
}

// Where the user names no hosts, those of the resource manager are taken; within its allocation agents start with srun.
string take_allocation(Options& out) {
  Allocation allocation = read_allocation([](const char* name) {
    const char* value = getenv(name);
    return string(value ? value : "");
  });
  out.srun = allocation.slurm;
  if (!out.hosts.empty()) return {};
  if (!allocation.error.empty()) return allocation.source + ": " + allocation.error;
  out.hosts = std::move(allocation.hosts);
  out.host_source = allocation.source;
  out.allocated_cpus = allocation.cpus;
  return {};
}

// What an outer launcher told this process is not true of the ranks.
bool is_of_outer_launcher(string_view entry) {
  if (entry.starts_with("PMIX_MCA_")) return false;
  return entry.starts_with("PMIX_") || entry.starts_with("PMI_") || entry.starts_with("COW_KEY_FD=") ||
         entry.starts_with("COW_SHM_FD=") || entry.starts_with("COW_AGENT=") || entry.starts_with("COW_JOB_SIZE=");
}

string take_environment(const CliOptions& part, const char* const* environment, Options& out) {
  for (const char* const* entry = environment; entry && *entry; ++entry) {
    if (!is_of_outer_launcher(*entry)) out.environment.emplace_back(*entry);
  }
  for (const auto& [name, value] : part.set_for_all) {
    if (name.empty() || name.find('=') != string::npos) return "--genv " + name + ": this is no name of a variable";
    set_variable(out.environment, name + "=" + value);
  }
  for (const auto& [name, value] : part.settings) set_variable(out.environment, name + "=" + value);
  if (part.oversubscribe) set_variable(out.environment, "COW_OVERSUBSCRIBE=yes");
  return {};
}

// Every COW_ variable that a rank would see, checked before anything is started.
std::vector<string> check_settings(Options& out) {
  std::vector<string> complaints;
  for (const Program& program : out.programs) {
    std::vector<string> all = out.environment;
    for (const string& assignment : program.application.environment) set_variable(all, assignment);
    std::vector<const char*> pointers;
    for (const string& entry : all) pointers.push_back(entry.c_str());
    pointers.push_back(nullptr);
    for (string& text : read_settings(pointers.data(), true, out.settings)) {
      if (std::find(complaints.begin(), complaints.end(), text) == complaints.end()) {
        complaints.push_back(std::move(text));
      }
    }
  }
  return complaints;
}

bool is_help(const string& word) { return word == "--help" || word == "-h" || word == "-help" || word == "-?"; }

struct Parsed {
  CliOptions part;
  std::vector<string> program;
  std::optional<int> end;
};

Parsed parse_part(const std::vector<string>& words, bool first) {
  Parsed out;
  CLI::App app{"Starts the ranks of an MPI program: mpirun [OPTIONS] PROGRAM [ARGUMENTS] [: [OPTIONS] PROGRAM …]",
               "mpirun"};
  add_options(app, out.part);
  if (const auto help = std::find_if(words.begin(), words.end(), is_help);
      first && help == words.begin() && !words.empty()) {
    const string topic = words.size() > 1 && isalpha(static_cast<unsigned char>(words[1][0])) ? words[1] : string();
    out.end = write_help(app, topic) ? 0 : 2;
    if (*out.end)
      complain("there is no help on " + topic + "; topics are program, hosts, placement, streams, job, settings");
    return out;
  }
  Cut cut = cut_at_program(app, words);
  if (!cut.error.empty()) {
    complain(cut.error);
    out.end = 2;
    return out;
  }
  try {
    std::reverse(cut.options.begin(), cut.options.end());  // as CLI11 wants it
    app.parse(cut.options);
  } catch (const CLI::Success& success) {
    out.end = app.exit(success);
    return out;
  } catch (const CLI::ParseError& error) {
    complain(error.what());
    out.end = 2;
    return out;
  }
  for (const CLI::Option* option : app.get_options()) {
    if (first || option->count() == 0 || option->get_group() == per_program.title) continue;
    complain(option->get_name() + " is for the whole job; it stands in front of the first program");
    out.end = 2;
    return out;
  }
  out.program = std::move(cut.program);
  return out;
}

using Words = std::vector<string>;

std::vector<Words> split_at_colons(int argc, const char* const* argv) {
  std::vector<Words> out(1);
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], ":") == 0) {
      out.emplace_back();
    } else {
      out.back().emplace_back(argv[i]);
    }
  }
  return out;
}

// The words of a line, as a shell splits them; # begins a comment. Quotes and backslashes keep blanks together.
string split_line(string_view line, Words& out) {
  string word;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\r')) {
      if (in_word) out.push_back(std::exchange(word, {}));
      in_word = false;
    } else if (quote == 0 && !in_word && c == '#') {
      break;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      in_word = true;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else {
      if (c == '\\' && quote != '\'' && i + 1 < line.size()) ++i;
      word += line[i];
      in_word = true;
    }
  }
  if (in_word) out.push_back(word);
  return quote == 0 ? string() : "a quote is not closed";
}

// The parts that a file gives, one a line; a line may also hold several, separated by colons.
string read_application_file(const string& path, std::vector<Words>& out) {
  std::ifstream file(path);
  if (!file) return "cannot read " + path + ": " + strerror(errno);
  int number = 0;
  for (string line; std::getline(file, line);) {
    ++number;
    Words words;
    if (const string wrong = split_line(line, words); !wrong.empty()) {
      return path + ": line " + std::to_string(number) + ": " + wrong;
    }
    if (words.empty()) continue;
    out.emplace_back();
    for (string& word : words) {
      if (word == ":") {
        if (!out.back().empty()) out.emplace_back();
      } else {
        out.back().push_back(std::move(word));
      }
    }
  }
  return out.empty() ? path + " names no program" : string();
}

string take_input_rank(const string& text, Options& out) {
  if (text.empty()) return {};
  out.input = text == "none" ? InputTo::none : text == "all" ? InputTo::all : InputTo::one;
  if (out.input != InputTo::one) return {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.input_rank);
  if (error == std::errc{} && end == text.data() + text.size()) return {};
  return "--stdin " + text + ": expected a rank, all or none";
}

// What is said once, in front of the first program.
string take_job(const CliOptions& part, const char* const* environment, Options& out) {
  if (string text = take_hosts(part, out); !text.empty()) return text;
  if (string text = take_allocation(out); !text.empty()) return text;
  if (string text = take_environment(part, environment, out); !text.empty()) return text;
  if (string text = read_mapping(part.mapping, out.mapping); !text.empty()) return text;
  if (string text = take_input_rank(part.input_rank, out); !text.empty()) return text;
  if (out.mapping.oversubscribe) set_variable(out.environment, "COW_OVERSUBSCRIBE=yes");
  // What was allocated belongs to this job alone, so its ranks share it out.
  const bool shares = out.allocated_cpus > 0 && part.mapping.map_by.empty() && part.mapping.bind_to.empty() &&
                      part.mapping.cpus_per_rank == 0 && part.mapping.rank_by.empty();
  out.mapping.binding.equal_shares = out.mapping.binding.equal_shares || shares;
  if (shares) out.mapping.binding.most_cpus = out.allocated_cpus;
  out.mapping.binding.report = part.report_bindings || part.display == "bind";
  out.show_map = part.display == "map" || part.dry_run;
  out.dry_run = part.dry_run;
  out.prefix = part.prefix;
  out.tag_output = part.tag;
  out.time_output = part.times;
  out.output_files = part.output_files;
  out.verbose = part.verbose;
  out.timeout = std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(part.timeout_seconds));
  return {};
}

}  // namespace

std::optional<int> parse_options(int argc, const char* const* argv, const char* const* environment, Options& out) {
  const auto wrong = [](const string& text) {
    complain(text);
    return 2;
  };
  std::vector<Words> parts = split_at_colons(argc, argv);
  for (size_t i = 0; i < parts.size(); ++i) {
    Parsed parsed = parse_part(parts[i], i == 0);
    if (parsed.end) return parsed.end;
    if (i == 0) {
      if (string text = take_job(parsed.part, environment, out); !text.empty()) return wrong(text);
      if (!parsed.part.application_file.empty()) {
        if (!parsed.program.empty() || parts.size() > 1)
          return wrong("--app stands in place of programs, not beside them");
        if (string text = read_application_file(parsed.part.application_file, parts); !text.empty()) return wrong(text);
        continue;
      }
    }
    if (parsed.program.empty()) return wrong("no program was given; --help explains the command line");
    Program program;
    if (string text = take_program(parsed.part, std::move(parsed.program), program); !text.empty()) return wrong(text);
    if (program.ranks == 0 && parts.size() > 1) return wrong("each program needs its -n when there are several");
    out.programs.push_back(std::move(program));
  }
  const std::vector<string> complaints = check_settings(out);
  for (const string& text : complaints) complain(text);
  if (!complaints.empty()) return 2;
  return std::nullopt;
}

}  // namespace cow::launch
