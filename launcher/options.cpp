#include "launcher/options.hpp"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "launcher/process.hpp"

#ifndef COW_VERSION
#error "COW_VERSION comes from the build"
#endif

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

constexpr const char* per_program = "For one program (the part of the command line up to a colon)";
constexpr const char* for_the_job = "For the job";
constexpr const char* for_settings = "Settings of the library (each also as a COW_ variable; cowinfo explains them)";

// A part of the command line, as written.
struct Part {
  std::uint32_t ranks = 0;
  string directory;
  std::vector<string> exports;              // -x NAME or NAME=value
  std::vector<std::pair<string, string>> set;  // -env NAME value
  std::vector<std::pair<string, string>> set_for_all;
  string host_list, host_file, prefix;
  double timeout = 0;
  bool tag = false, oversubscribe = false, ignored = false;
  string ignored_text;
  std::map<string, string> settings;  // by variable
};

string option_of_setting(string_view variable) {
  string out = "--";
  for (char c : variable.substr(4)) out += c == '_' ? '-' : static_cast<char>(tolower(c));
  return out;
}

void add_program_options(CLI::App& app, Part& part) {
  app.add_option("-n,--np,-c", part.ranks, "Number of ranks")->type_name("N")->check(CLI::Range(1u, 1u << 24))
      ->group(per_program);
  app.add_option("--wdir,--wd", part.directory, "Directory in which the ranks start")->type_name("DIR")
      ->group(per_program);
  app.add_option("-x", part.exports, "Set a variable for the ranks (NAME alone is accepted: all are passed on)")
      ->type_name("NAME[=VALUE]")->allow_extra_args(false)->group(per_program);
  app.add_option("--env", part.set, "Set a variable for the ranks of this program")->allow_extra_args(false)
      ->type_name("NAME VALUE")->group(per_program);
}

void add_job_options(CLI::App& app, Part& part) {
  app.add_option("--host,-H,--hosts", part.host_list, "Hosts, with slots if wanted")->type_name("A[:SLOTS],B…")
      ->group(for_the_job);
  app.add_option("--hostfile,-f,--machinefile", part.host_file, "File with a host a line: NAME [slots=N], NAME:N")
      ->type_name("FILE")->group(for_the_job);
  app.add_option("--genv", part.set_for_all, "Set a variable for all ranks")->allow_extra_args(false)
      ->type_name("NAME VALUE")->group(for_the_job);
  app.add_option("--prefix", part.prefix, "Where COW MPI is installed on the other hosts, if not as here")
      ->type_name("DIR")->group(for_the_job);
  app.add_option("--timeout", part.timeout, "End the job after so many seconds, with status 124")
      ->type_name("SECONDS")->check(CLI::PositiveNumber)->group(for_the_job);
  app.add_flag("-l,--tag-output", part.tag, "Begin each line of output with its rank")->group(for_the_job);
  app.add_flag("--oversubscribe", part.oversubscribe, "Start more ranks than there are slots")->group(for_the_job);
  app.add_flag("--allow-run-as-root,--genvall,--envall", part.ignored, "Accepted; it is so anyway")
      ->group(for_the_job);
  app.add_option("--genvlist,--envlist", part.ignored_text, "Accepted; all variables are passed on")
      ->type_name("NAMES")->group(for_the_job);
}

void add_setting_options(CLI::App& app, Part& part) {
  const char* none[] = {nullptr};
  for (const SettingInfo& info : list_settings(none)) {
    if (strcmp(info.kind, "flag") == 0 && string(info.name) == "COW_OVERSUBSCRIBE") continue;
    const string meaning = string(info.meaning) + " (" + (*info.default_value ? info.default_value : "empty") + ")";
    app.add_option_function<string>(
           option_of_setting(info.name), [&part, name = info.name](const string& text) { part.settings[name] = text; },
           meaning)
        ->type_name(*info.choices ? "WORD" : info.kind)->group(for_settings);
  }
}

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

string take_program(const Part& part, std::vector<string> argv, const Options& options, Program& out) {
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
  (void)options;
  return {};
}

string take_hosts(const Part& part, Options& out) {
  if (!part.host_list.empty() && !part.host_file.empty()) return "--host and --hostfile exclude each other";
  Hosts hosts;
  if (!part.host_list.empty()) {
    hosts = parse_host_list(part.host_list);
    out.host_source = "--host";
  } else if (!part.host_file.empty()) {
    std::ifstream file(part.host_file, std::ios::binary);
    std::ostringstream text;
    if (!file || !(text << file.rdbuf())) return "cannot read the hostfile " + part.host_file + ": " + strerror(errno);
    hosts = parse_hostfile(text.str());
    out.host_source = "the hostfile " + part.host_file;
  }
  if (!hosts.error.empty()) return out.host_source + ": " + hosts.error;
  out.hosts = std::move(hosts.list);
  return {};
}

// What an outer launcher told this process is not true of the ranks.
bool is_of_outer_launcher(string_view entry) {
  if (entry.starts_with("PMIX_MCA_")) return false;
  return entry.starts_with("PMIX_") || entry.starts_with("PMI_") || entry.starts_with("COW_KEY_FD=");
}

string take_environment(const Part& part, const char* const* environment, Options& out) {
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

struct Parsed {
  Part part;
  std::vector<string> program;
  std::optional<int> end;
};

Parsed parse_part(const std::vector<string>& words, bool first) {
  Parsed out;
  CLI::App app{"Starts the ranks of an MPI program: mpirun [OPTIONS] PROGRAM [ARGUMENTS] [: [OPTIONS] PROGRAM …]", "mpirun"};
  app.set_help_flag("-h,--help", "Print this")->group(for_the_job);
  app.set_version_flag("-V,--version", "mpirun (COW MPI) " COW_VERSION)->group(for_the_job);
  add_program_options(app, out.part);
  add_job_options(app, out.part);
  add_setting_options(app, out.part);

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
    if (first || option->count() == 0 || option->get_group() == per_program) continue;
    complain(option->get_name() + " is for the whole job; it stands in front of the first program");
    out.end = 2;
    return out;
  }
  out.program = std::move(cut.program);
  return out;
}

std::vector<std::vector<string>> split_at_colons(int argc, const char* const* argv) {
  std::vector<std::vector<string>> out(1);
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], ":") == 0) {
      out.emplace_back();
    } else {
      out.back().emplace_back(argv[i]);
    }
  }
  return out;
}

}  // namespace

std::optional<int> parse_options(int argc, const char* const* argv, const char* const* environment, Options& out) {
  const auto wrong = [](const string& text) {
    complain(text);
    return 2;
  };
  const auto parts = split_at_colons(argc, argv);
  for (const std::vector<string>& words : parts) {
    const bool first = &words == parts.data();
    Parsed parsed = parse_part(words, first);
    if (parsed.end) return parsed.end;
    if (parsed.program.empty()) return wrong("no program was given; --help explains the command line");
    if (first) {
      if (string text = take_hosts(parsed.part, out); !text.empty()) return wrong(text);
      if (string text = take_environment(parsed.part, environment, out); !text.empty()) return wrong(text);
      out.prefix = parsed.part.prefix;
      out.tag_output = parsed.part.tag;
      out.timeout = static_cast<std::int64_t>(parsed.part.timeout * 1000);
    }
    Program program;
    if (string text = take_program(parsed.part, std::move(parsed.program), out, program); !text.empty()) {
      return wrong(text);
    }
    if (program.ranks == 0 && parts.size() > 1) return wrong("each program needs its -n when there are several");
    out.programs.push_back(std::move(program));
  }
  const std::vector<string> complaints = check_settings(out);
  for (const string& text : complaints) complain(text);
  if (!complaints.empty()) return 2;
  return std::nullopt;
}

}  // namespace cow::launch
