#include "launcher/mpirun/options.hpp"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
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
#include "launcher/mpirun/command_cut.hpp"
#include "launcher/rm/allocation.hpp"

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

void complain(const string& text) { fprintf(stderr, "mpirun: %s\n", text.c_str()); }

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

string set_all(const std::vector<std::pair<string, string>>& pairs, const char* option, std::vector<string>& out) {
  for (const auto& [name, value] : pairs) {
    if (name.empty() || name.find('=') != string::npos) return option + name + ": this is no name of a variable";
    set_variable(out, name + "=" + value);
  }
  return {};
}

// -x NAME* asks for mpirun's own variables that begin so.
void take_prefix(const string& prefix, std::vector<string>& out) {
  for (const char* const* entry = environ; *entry; ++entry) {
    if (strncmp(*entry, prefix.c_str(), prefix.size()) == 0) out.emplace_back(*entry);
  }
}

// -x NAME or NAME=VALUE. A name alone asks for mpirun's own value, which matters where not all variables are passed on.
string take_exports(const CliOptions& part, std::vector<string>& out) {
  for (const string& text : part.exports) {
    if (text.empty() || text[0] == '=') return "-x " + text + ": expected NAME or NAME=VALUE";
    const char* value = getenv(text.c_str());
    if (text.find('=') != string::npos) {
      out.push_back(text);
    } else if (text.ends_with('*')) {
      take_prefix(text.substr(0, text.size() - 1), out);
    } else if (value) {
      out.push_back(text + "=" + value);
    }
  }
  return {};
}

// -arch NAME. What hosts are like is not known before they are asked, so all are taken to be as this one.
string check_architecture(const string& name) {
  if (name.empty()) return {};
  const auto plain = [](string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return c == '-' ? '_' : tolower(c); });
    return text == "amd64" || text == "x64" ? "x86_64" : text == "arm64" ? "aarch64" : text;
  };
  utsname here;
  if (uname(&here) == 0 && plain(name) != plain(here.machine)) {
    return "-arch " + name + ": this host is " + here.machine +
           ", and the others are taken to be; name those to use with --host";
  }
  return {};
}

string lower(string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return tolower(c); });
  return text;
}

string take_program(const CliOptions& part, std::vector<string> argv, Program& out) {
  out.ranks = part.ranks;
  out.soft = part.soft;
  out.application.argv = std::move(argv);
  out.application.path = part.path;
  string directory = current_directory();
  if (!part.directory.empty()) directory = part.directory[0] == '/' ? part.directory : directory + "/" + part.directory;
  out.application.directory = directory;
  std::vector<string>& environment = out.application.environment;
  if (string wrong = check_architecture(part.architecture); !wrong.empty()) return wrong;
  if (string wrong = take_exports(part, environment); !wrong.empty()) return wrong;
  if (!part.initial_errhandler.empty()) {
    environment.push_back("COW_INITIAL_ERRHANDLER=" + lower(part.initial_errhandler));
  }
  if (part.memory_kinds) environment.push_back("COW_MEMORY_ALLOC_KINDS=" + *part.memory_kinds);
  return set_all(part.set, "--env ", environment);
}

string read_host_file(const string& path, string& source, Hosts& out) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    return "cannot read the hostfile " + path + ": " + strerror(file ? EISDIR : errno);
  }
  out = parse_hostfile(string(std::istreambuf_iterator<char>(file), {}));
  source = "the hostfile " + path;
  return out.error.empty() ? string() : source + ": " + out.error;
}

// With both, --host says which of the file's hosts are meant.
string take_hosts(const CliOptions& part, std::vector<Host>& list, string& source) {
  Hosts named, filed;
  if (!part.host_list.empty()) {
    named = parse_host_list(part.host_list);
    source = "--host";
    if (!named.error.empty()) return source + ": " + named.error;
  }
  if (!part.host_file.empty()) {
    if (string text = read_host_file(part.host_file, source, filed); !text.empty()) return text;
    named = part.host_list.empty() ? std::move(filed) : choose_hosts(filed.list, named.list, source);
    if (!named.error.empty()) return "--host: " + named.error;
  }
  list = std::move(named.list);
  return {};
}

// --nolocal.
string leave_out_this_host(std::vector<Host>& hosts) {
  std::erase_if(hosts, [](const Host& host) { return is_this_host(host.name); });
  return hosts.empty() ? "--nolocal leaves no host: name others with --host or --hostfile" : string();
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

// The variables of all ranks. Where a program wants others of mpirun's own than the rest, each program gets its share apart.
string take_environment(const CliOptions& job, const std::vector<CliOptions>& parts, const char* const* environment,
                        Options& out) {
  const auto is_own = [](const CliOptions& part) { return part.passed.which != PassedVariables::Which::unsaid; };
  const bool apart = std::any_of(parts.begin(), parts.end(), is_own);
  const auto add_job = [&](std::vector<string>& to) {
    string wrong = set_all(job.set_for_all, "--genv ", to);
    for (const auto& [name, value] : job.settings) set_variable(to, name + "=" + value);
    if (job.oversubscribe || out.mapping.oversubscribe) set_variable(to, "COW_OVERSUBSCRIBE=yes");
    return wrong;
  };
  PassedVariables common = job.passed_to_all;
  if (apart) common.which = PassedVariables::Which::none;
  out.environment = select_variables(environment, common);
  if (string wrong = add_job(out.environment); !wrong.empty()) return wrong;
  for (std::size_t i = 0; i < out.programs.size(); ++i) {
    Application& application = out.programs[i].application;
    const PassedVariables& own = is_own(parts[i]) ? parts[i].passed : job.passed_to_all;
    std::vector<string> all;
    if (apart) {
      all = select_variables(environment, own);
      add_job(all);
    }
    for (const string& assignment : application.environment) set_variable(all, assignment);
    application.environment = std::move(all);
    // A program is found where mpirun would find it, whatever it is to see itself.
    const char* path = getenv("PATH");
    if (path && !own.passes("PATH")) application.path += (application.path.empty() ? "" : ":") + string(path);
  }
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
  Words program;
  std::vector<IgnoredOption> ignored;
  string error;
  std::optional<int> end;
};

int write_topic(CLI::App& app, const Words& words) {
  const string topic = words.size() > 1 && isalpha(static_cast<unsigned char>(words[1][0])) ? words[1] : string();
  if (write_help(app, topic)) return 0;
  complain("there is no help on " + topic + "; topics are program, hosts, placement, streams, job, settings");
  return 2;
}

// What is said of options that only the first part may have.
string find_misplaced(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const string& group = option->get_group();
    if (option->count() == 0 || group == per_program.title || option->check_lname("host") ||
        option->check_lname("hostfile"))
      continue;
    return option->get_name() + " is for the whole job; it stands in front of the first program";
  }
  return {};
}

// "--np: …" names the option as it is called first; the user may have written -n.
string as_spelled(string text, const std::map<string, string>& spelled) {
  const size_t colon = text.find(": ");
  if (colon == string::npos) return text;
  const auto found = spelled.find(text.substr(0, colon));
  return found == spelled.end() ? text : found->second + text.substr(colon);
}

Parsed parse_part(const Words& words, bool first) {
  Parsed out;
  CLI::App app{"Starts the ranks of an MPI program: mpirun [OPTIONS] PROGRAM [ARGUMENTS] [: [OPTIONS] PROGRAM …]",
               "mpirun"};
  add_options(app, out.part);
  if (first && !words.empty() && is_help(words[0])) {
    out.end = write_topic(app, words);
    return out;
  }
  CommandCut cut = cut_at_program(app, words);
  out.error = cut.error;
  if (!out.error.empty()) return out;
  try {
    std::reverse(cut.options.begin(), cut.options.end());  // as CLI11 wants it
    app.parse(cut.options);
  } catch (const CLI::Success& success) {
    out.end = app.exit(success);
    return out;
  } catch (const CLI::ParseError& error) {
    out.error = as_spelled(error.what(), cut.spelled);
    return out;
  }
  if (!first) out.error = find_misplaced(app);
  out.program = std::move(cut.program);
  out.ignored = std::move(cut.ignored);
  return out;
}

string take_input_rank(const string& text, Options& out) {
  if (text.empty()) return {};
  out.input = text == "none" ? InputTo::none : text == "all" ? InputTo::all : InputTo::one;
  if (out.input != InputTo::one) return {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.input_rank);
  if (error == std::errc{} && end == text.data() + text.size()) return {};
  return "--stdin " + text + ": expected a rank, all or none";
}

// "map,bind" of --display.
void take_display(const CliOptions& part, Options& out) {
  for (const string& word : part.display) {
    out.show_map = out.show_map || word == "map";
    out.mapping.binding.report = out.mapping.binding.report || word == "bind";
  }
}

// "tag,timestamp,file=NAME" of --output.
string take_output(const CliOptions& part, Options& out) {
  for (const string& word : part.output) {
    if (word == "tag" || word == "rank" || word == "tag-detailed" || word == "tag-fullname") {
      out.tag_output = true;
    } else if (word == "timestamp") {
      out.time_output = true;
    } else if (word == "merge-stderr-to-stdout" || word == "merge") {
      out.merge_output = true;
    } else if (word.starts_with("file=")) {
      out.output_files = word.substr(5);
    } else {
      return "--output " + word + ": known are tag, timestamp, merge and file=NAME";
    }
  }
  return {};
}

// What is said once, in front of the first program.
string take_job(const CliOptions& part, Options& out) {
  if (string text = take_hosts(part, out.hosts, out.host_source); !text.empty()) return text;
  if (string text = take_allocation(out); !text.empty()) return text;
  if (string text = read_mapping(part.mapping, out.mapping); !text.empty()) return text;
  if (part.no_local || out.mapping.no_local) {
    if (string text = leave_out_this_host(out.hosts); !text.empty()) return text;
  }
  if (string text = take_input_rank(part.input_rank, out); !text.empty()) return text;
  // What was allocated belongs to this job alone, so its ranks share it out.
  const bool shares = out.allocated_cpus > 0 && part.mapping.map_by.empty() && part.mapping.bind_to.empty() &&
                      part.mapping.cpus_per_rank == 0 && part.mapping.rank_by.empty();
  out.mapping.binding.equal_shares = out.mapping.binding.equal_shares || shares;
  if (shares) out.mapping.binding.most_cpus = out.allocated_cpus;
  out.mapping.binding.report = part.report_bindings || out.mapping.binding.report;
  out.dry_run = part.dry_run || out.mapping.dry_run;
  out.show_map = out.dry_run || out.mapping.show_map;
  out.prefix = part.prefix;
  out.tag_output = part.tag;
  out.time_output = part.times;
  out.merge_output = part.merge_output;
  out.output_files = part.output_files;
  out.pid_file = part.pid_file;
  out.verbose = part.verbose;
  out.report_ends = part.verbose || part.report_ends;
  out.timeout = std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(part.timeout_seconds));
  take_display(part, out);
  return take_output(part, out);
}

struct CommandLine {
  Parsed first;  // which has the options of the job
  std::vector<Parsed> programs;
};

string take_part(Parsed parsed, bool first, Options& out, CommandLine& line) {
  if (parsed.program.empty()) return "no program was given; --help explains the command line";
  Program program;
  if (string text = take_program(parsed.part, std::move(parsed.program), program); !text.empty()) return text;
  if (!first) {
    if (string text = take_hosts(parsed.part, program.hosts, program.host_source); !text.empty()) return text;
  }
  out.programs.push_back(std::move(program));
  line.programs.push_back(std::move(parsed));
  return {};
}

// --app FILE: its parts are the programs.
string take_application_file(const string& path, std::optional<int>& end, Options& out, CommandLine& line) {
  std::vector<CommandPart> parts;
  if (string text = read_command_file(path, parts); !text.empty()) return text;
  if (parts.empty()) return path + " names no program";
  for (const CommandPart& part : parts) {
    Parsed parsed = parse_part(part.words, false);
    if ((end = parsed.end)) return {};
    string text = parsed.error.empty() ? take_part(std::move(parsed), false, out, line) : parsed.error;
    if (!text.empty()) return part.source + text;
  }
  return {};
}

string take_command_line(const std::vector<CommandPart>& parts, std::optional<int>& end, Options& out,
                         CommandLine& line) {
  for (size_t i = 0; i < parts.size(); ++i) {
    Parsed parsed = parse_part(parts[i].words, i == 0);
    if ((end = parsed.end)) return {};
    if (!parsed.error.empty()) return parsed.error;
    if (i == 0) {
      line.first = parsed;
      if (string text = take_job(parsed.part, out); !text.empty()) return text;
      if (const string& file = parsed.part.application_file; !file.empty()) {
        if (!parsed.program.empty() || parts.size() > 1) return "--app stands in place of programs, not beside them";
        if (string text = take_application_file(file, end, out, line); end || !text.empty()) return text;
        break;
      }
    }
    if (string text = take_part(std::move(parsed), i == 0, out, line); !text.empty()) {
      return parts.size() == 1 ? text : "part " + std::to_string(i + 1) + " of the command line: " + text;
    }
  }
  const bool uncounted =
      std::any_of(out.programs.begin(), out.programs.end(), [](const auto& p) { return p.ranks == 0; });
  return uncounted && out.programs.size() > 1 ? "each program needs its -n when there are several" : string();
}

void tell_ignored(const CommandLine& line) {
  if (line.first.part.quiet) return;
  std::vector<IgnoredOption> all = line.first.ignored;
  for (size_t i = line.first.program.empty() ? 0 : 1; i < line.programs.size(); ++i) {
    all.insert(all.end(), line.programs[i].ignored.begin(), line.programs[i].ignored.end());
  }
  for (const string& text : describe_ignored(all)) complain(text);
}

}  // namespace

std::optional<int> parse_options(int argc, const char* const* argv, const char* const* environment, Options& out) {
  CommandLine line;
  std::optional<int> end;
  string wrong = take_command_line(split_at_colons(argc, argv), end, out, line);
  if (end) return end;
  if (wrong.empty()) {
    std::vector<CliOptions> parts;
    for (const Parsed& parsed : line.programs) parts.push_back(parsed.part);
    wrong = take_environment(line.first.part, parts, environment, out);
  }
  std::vector<string> complaints{wrong};
  if (wrong.empty()) complaints = check_settings(out);
  for (const string& text : complaints) complain(text);
  if (!complaints.empty()) return 2;
  tell_ignored(line);
  return std::nullopt;
}

}  // namespace cow::launch
