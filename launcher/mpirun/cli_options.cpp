#include "launcher/mpirun/cli_options.hpp"

#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/settings.hpp"

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

string option_of_setting(string_view variable) {
  string out = "--";
  for (char c : variable.substr(4)) out += c == '_' ? '-' : static_cast<char>(tolower(c));
  return out;
}

// Without names, since the help has those of the options.
CLI::Validator number_to(std::uint32_t most) {
  const auto check = [most](const string& text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool good = error == std::errc{} && end == text.data() + text.size() && number > 0 && number <= most;
    return good ? string() : text + ": expected a number from 1 to " + std::to_string(most);
  };
  return {check, ""};
}

CLI::Validator seconds() {
  const auto check = [](const string& text) {
    char* end = nullptr;
    const double number = strtod(text.c_str(), &end);
    return !text.empty() && *end == '\0' && number > 0 && number < 1e9 ? string()
                                                                       : text + ": expected a number of seconds";
  };
  return {check, ""};
}

// --bynode for --map-by node, and the like.
void add_short_form(CLI::App& app, const char* names, string& target, const char* value) {
  app.add_flag_callback(
         names, [&target, value] { target = value; }, string("The same as --map-by ") + value)
      ->group(on_placement.title);
}

// -envall, -envnone and -envlist, and those for all programs.
void add_passed(CLI::App& app, const string& prefix, PassedVariables& target, const char* group) {
  using Which = PassedVariables::Which;
  app.add_flag_callback(
         prefix + "all", [&target] { target.which = Which::all; }, "Pass all variables on (so it is anyway)")
      ->group(group);
  app.add_flag_callback(
         prefix + "none", [&target] { target.which = Which::none; },
         "Pass no variables on but settings (COW_…) and those set with options")
      ->group(group);
  app.add_option_function<string>(
         prefix + "list", [&target](const string& names) { target.list(Which::listed, names); },
         "Pass on these variables and settings alone")
      ->type_name("A,B,...")
      ->group(group);
  app.add_option_function<string>(
         prefix + "excl", [&target](const string& names) { target.list(Which::all_but, names); },
         "Pass on all variables but these")
      ->type_name("A,B,...")
      ->group(group);
}

void add_program_variables(CLI::App& app, CliOptions& part) {
  const char* group = per_program.title;
  app.add_option("-x", part.exports, "Set a variable for the ranks, or pass it on")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--env", part.set, "Set a variable for the ranks of this program")
      ->allow_extra_args(false)
      ->type_name("NAME VALUE")
      ->group(group);
  add_passed(app, "--env", part.passed, group);
  app.add_option("--initial-errhandler", part.initial_errhandler,
                 "Error handler of MPI_COMM_WORLD at the start: mpi_errors_are_fatal, mpi_errors_abort or "
                 "mpi_errors_return (COW_INITIAL_ERRHANDLER)")
      ->type_name("HANDLER")
      ->group(group);
  app.add_option("--memory-alloc-kinds", part.memory_kinds,
                 "Kinds of memory that MPI is to take: mpi, system; others are not offered (COW_MEMORY_ALLOC_KINDS)")
      ->type_name("KINDS")
      ->group(group);
}

void add_program_options(CLI::App& app, CliOptions& part) {
  const char* group = per_program.title;
  app.add_option("-n,--n,--np,-c", part.ranks, "Number of ranks")
      ->type_name("N")
      ->check(number_to(1u << 24))
      ->group(group);
  app.add_option("--soft", part.soft, "Counts that would do, of which the largest up to -n that has slots is taken")
      ->type_name("A:B:C,...")
      ->group(group);
  app.add_option("--wdir,--wd", part.directory, "Directory in which the ranks start")->type_name("DIR")->group(group);
  app.add_option("--path", part.path, "Where the program is looked for before PATH")
      ->type_name("DIR:DIR...")
      ->group(group);
  app.add_option("--arch", part.architecture, "Refuse to start on another kind of machine (as uname -m calls it)")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--file", part.file, "File with further options, which stand in place of this one")
      ->type_name("FILE")
      ->group(group);
  add_program_variables(app, part);
}

void add_host_options(CLI::App& app, CliOptions& part) {
  const char* group = on_hosts.title;
  app.add_option("--host,-H,--hosts", part.host_list, "Hosts, with slots if wanted")
      ->type_name("A[:SLOTS],B...")
      ->group(group);
  app.add_option("--hostfile,-f,--machinefile", part.host_file,
                 "File with a host a line: NAME [slots=N] [max_slots=N], NAME:N; with --host, that chooses of them")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--prefix", part.prefix, "Where COW MPI is installed on the other hosts, if not as here")
      ->type_name("DIR")
      ->group(group);
  app.add_flag("--oversubscribe", part.oversubscribe, "Start more ranks than there are slots")->group(group);
  app.add_flag("--nolocal", part.no_local, "Start no ranks on this host")->group(group);
}

void add_placement_options(CLI::App& app, CliOptions& part) {
  const char* group = on_placement.title;
  app.add_option("--map-by", part.mapping.map_by,
                 "slot (fill each host), node (one to each in turn), layout (neighbours of --layout near each other), "
                 "ppr:N:OBJECT (N to each object), or core, socket, "
                 "numa, l2, l3, hwthread (go round those of each host, bound to them); "
                 ":PE=N for N cores each; :span, :oversubscribe, :nolocal, :hwtcpus")
      ->type_name("WHERE")
      ->group(group);
  app.add_option("--bind-to", part.mapping.bind_to,
                 "none, core, socket, numa, l2, l3 or hwthread; core:2 for two of them")
      ->type_name("WHAT")
      ->group(group);
  app.add_option("--rank-by", part.mapping.rank_by,
                 "slot, node, core, socket, numa, l2 or l3: what consecutive ranks go round")
      ->type_name("WHAT")
      ->group(group);
  app.add_option("--ppn,--perhost,--npernode,-N", part.mapping.per_node, "The same as --map-by ppr:N:node")
      ->type_name("N")
      ->check(number_to(1u << 20))
      ->group(group);
  app.add_option("--cpus-per-rank,--cpus-per-proc", part.mapping.cpus_per_rank, "Bind each rank to N cores")
      ->type_name("N")
      ->check(number_to(1u << 20))
      ->group(group);
  add_short_form(app, "--pernode", part.mapping.map_by, "ppr:1:node");
  add_short_form(app, "--bynode,--rr", part.mapping.map_by, "node");
  add_short_form(app, "--byslot", part.mapping.map_by, "slot");
  add_short_form(app, "--bycore", part.mapping.map_by, "core");
  app.add_flag("--report-bindings", part.report_bindings, "Tell on standard error where each rank may run")
      ->group(group);
  app.add_flag("--use-hwthread-cpus", part.mapping.hwthreads, "PE=N and --cpus-per-rank count hardware threads")
      ->group(group);
  app.add_option("--display", part.display,
                 "map: print which ranks go to which host; bind: as --report-bindings; map,bind: both")
      ->type_name("WHAT")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"map", "bind", "allocation", "map-devel"}).description(""))
      ->group(group);
  app.add_flag_callback(
         "--display-map", [&part] { part.display.push_back("map"); }, "The same as --display map")
      ->group(group);
  app.add_flag("--dry-run", part.dry_run, "Print the map, and start nothing")->group(group);
}

void add_stream_options(CLI::App& app, CliOptions& part) {
  const char* group = on_streams.title;
  app.add_flag("-l,--tag-output,--prepend-rank", part.tag, "Begin each line of output with its rank")->group(group);
  app.add_flag("--timestamp-output", part.times, "Begin each line of output with the time")->group(group);
  app.add_flag("--merge-stderr-to-stdout", part.merge_output,
               "What ranks write to standard error goes to standard output")
      ->group(group);
  app.add_option("--output", part.output, "tag, timestamp, merge, file=NAME: as the options above and below")
      ->type_name("WHAT,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--output-filename", part.output_files, "Each rank writes to NAME.RANK.out and NAME.RANK.err instead")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--stdin,-s", part.input_rank, "Who gets mpirun's standard input: a rank, all, or none (0)")
      ->type_name("RANK")
      ->group(group);
}

void add_job_options(CLI::App& app, CliOptions& part) {
  const char* group = on_ends.title;
  app.add_option("--genv", part.set_for_all, "Set a variable for all ranks")
      ->allow_extra_args(false)
      ->type_name("NAME VALUE")
      ->group(group);
  add_passed(app, "--genv", part.passed_to_all, group);
  app.add_option("--app,--configfile", part.application_file, "File with the parts of the command line, one a line")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--timeout", part.timeout_seconds, "End the job after so many seconds, with status 124")
      ->type_name("SECONDS")
      ->check(seconds())
      ->group(group);
  app.add_option("--report-pid", part.pid_file,
                 "Write mpirun's process number: to - (standard output), + (error) or a file")
      ->type_name("WHERE")
      ->group(group);
  app.add_flag("-v,--verbose", part.verbose, "Tell on standard error what mpirun does")->group(group);
  app.add_flag("--print-all-exitcodes", part.report_ends, "Tell on standard error how each rank ended")->group(group);
  app.add_flag("-q,--quiet", part.quiet, "Do not tell which options of other launchers are ignored")->group(group);
  app.add_flag("--allow-run-as-root,--nooversubscribe", part.ignored, "Accepted; it is so anyway")->group(group);
}

// Those that stand among the options of one program.
bool is_of_program(string_view name) { return name == "COW_INITIAL_ERRHANDLER" || name == "COW_MEMORY_ALLOC_KINDS"; }

void add_setting_options(CLI::App& app, CliOptions& part) {
  const char* none[] = {nullptr};
  for (const SettingInfo& info : list_settings(none)) {
    if (strcmp(info.kind, "flag") == 0 && string(info.name) == "COW_OVERSUBSCRIBE") continue;
    if (is_of_program(info.name)) continue;
    const string meaning = string(info.meaning) + " (" + (*info.default_value ? info.default_value : "empty") + ")";
    string names = option_of_setting(info.name);
    if (string(info.name) == "COW_INTERFACE") names += ",--iface";
    app.add_option_function<string>(
           names, [&part, name = info.name](const string& text) { part.settings[name] = text; }, meaning)
        ->type_name(*info.choices ? "WORD" : info.kind)
        ->group(on_settings.title);
  }
}

}  // namespace

void add_options(CLI::App& app, CliOptions& part) {
  app.set_help_flag("-h,--help", "Print all of this; --help TOPIC: program, hosts, placement, streams, job or settings")
      ->group(on_ends.title);
  app.set_version_flag("-V,--version", "mpirun (COW MPI) " COW_VERSION)->group(on_ends.title);
  app.footer(
      "mpirun --why PID has a running mpirun say why its job does not go on.\n"
      "Options of Open MPI's and MPICH's mpirun that are not listed here are known, too: what has no meaning here is\n"
      "ignored with a line that says so, or refused with what to use instead.");
  add_program_options(app, part);
  add_host_options(app, part);
  add_placement_options(app, part);
  add_stream_options(app, part);
  add_job_options(app, part);
  add_setting_options(app, part);
}

bool write_help(CLI::App& app, const string& topic) {
  const Topic* found =
      std::find_if(std::begin(topics), std::end(topics), [&](const Topic& t) { return topic == t.word; });
  if (!topic.empty() && found == std::end(topics)) return false;
  for (CLI::Option* option : app.get_options()) {
    if (!topic.empty() && option->get_group() != found->title) option->group("");
  }
  fputs(app.help().c_str(), stdout);
  return true;
}

}  // namespace cow::launch
