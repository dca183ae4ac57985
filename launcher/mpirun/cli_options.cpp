#include "launcher/mpirun/cli_options.hpp"

#include <stdio.h>
#include <string.h>

#include <algorithm>

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

// --bynode for --map-by node, and the like.
void add_short_form(CLI::App& app, const char* names, string& target, const char* value) {
  app.add_flag_callback(
         names, [&target, value] { target = value; }, string("The same as --map-by ") + value)
      ->group(on_placement.title);
}

void add_program_options(CLI::App& app, CliOptions& part) {
  const char* group = per_program.title;
  app.add_option("-n,--np,-c", part.ranks, "Number of ranks")
      ->type_name("N")
      ->check(CLI::Range(1u, 1u << 24))
      ->group(group);
  app.add_option("--wdir,--wd", part.directory, "Directory in which the ranks start")->type_name("DIR")->group(group);
  app.add_option("-x", part.exports, "Set a variable for the ranks (NAME alone is accepted: all are passed on)")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--env", part.set, "Set a variable for the ranks of this program")
      ->allow_extra_args(false)
      ->type_name("NAME VALUE")
      ->group(group);
}

void add_host_options(CLI::App& app, CliOptions& part) {
  const char* group = on_hosts.title;
  app.add_option("--host,-H,--hosts", part.host_list, "Hosts, with slots if wanted")
      ->type_name("A[:SLOTS],B…")
      ->group(group);
  app.add_option("--hostfile,-f,--machinefile", part.host_file, "File with a host a line: NAME [slots=N], NAME:N")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--prefix", part.prefix, "Where COW MPI is installed on the other hosts, if not as here")
      ->type_name("DIR")
      ->group(group);
  app.add_flag("--oversubscribe", part.oversubscribe, "Start more ranks than there are slots")->group(group);
}

void add_placement_options(CLI::App& app, CliOptions& part) {
  const char* group = on_placement.title;
  app.add_option("--map-by", part.mapping.map_by,
                 "slot (fill each host), node (one to each in turn), layout (neighbours of --layout near each other), "
                 "ppr:N:OBJECT (N to each object), or core, socket, "
                 "numa, l3, hwthread (go round those of each host, bound to them); :PE=N for N cores each")
      ->type_name("WHERE")
      ->group(group);
  app.add_option("--bind-to", part.mapping.bind_to, "none, core, socket, numa, l3 or hwthread")
      ->type_name("WHAT")
      ->group(group);
  app.add_option("--rank-by", part.mapping.rank_by,
                 "slot, node, core, socket, numa or l3: what consecutive ranks go round")
      ->type_name("WHAT")
      ->group(group);
  app.add_option("--ppn,--perhost,--npernode,-N", part.mapping.per_node, "The same as --map-by ppr:N:node")
      ->type_name("N")
      ->check(CLI::Range(1u, 1u << 20))
      ->group(group);
  app.add_option("--cpus-per-rank,--cpus-per-proc", part.mapping.cpus_per_rank, "Bind each rank to N cores")
      ->type_name("N")
      ->check(CLI::Range(1u, 1u << 20))
      ->group(group);
  add_short_form(app, "--pernode", part.mapping.map_by, "ppr:1:node");
  add_short_form(app, "--bynode,--rr", part.mapping.map_by, "node");
  add_short_form(app, "--byslot", part.mapping.map_by, "slot");
  add_short_form(app, "--bycore", part.mapping.map_by, "core");
  app.add_flag("--report-bindings", part.report_bindings, "Tell on standard error where each rank may run")
      ->group(group);
  app.add_option("--display", part.display, "map: print which ranks go to which host; bind: as --report-bindings")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"map", "bind"}))
      ->group(group);
  app.add_flag_callback("--display-map", [&part] { part.display = "map"; }, "The same as --display map")->group(group);
  app.add_flag("--dry-run", part.dry_run, "Print the map, and start nothing")->group(group);
}

void add_stream_options(CLI::App& app, CliOptions& part) {
  const char* group = on_streams.title;
  app.add_flag("-l,--tag-output,--prepend-rank", part.tag, "Begin each line of output with its rank")->group(group);
  app.add_flag("--timestamp-output", part.times, "Begin each line of output with the time")->group(group);
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
  app.add_option("--app,--configfile", part.application_file, "File with the parts of the command line, one a line")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--timeout", part.timeout_seconds, "End the job after so many seconds, with status 124")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber)
      ->group(group);
  app.add_flag("-v,--verbose", part.verbose, "Tell on standard error what mpirun does")->group(group);
  app.add_flag("--allow-run-as-root,--genvall,--envall,--nooversubscribe", part.ignored, "Accepted; it is so anyway")
      ->group(group);
  app.add_option("--genvlist,--envlist", part.ignored_text, "Accepted; all variables are passed on")
      ->type_name("NAMES")
      ->group(group);
}

void add_setting_options(CLI::App& app, CliOptions& part) {
  const char* none[] = {nullptr};
  for (const SettingInfo& info : list_settings(none)) {
    if (strcmp(info.kind, "flag") == 0 && string(info.name) == "COW_OVERSUBSCRIBE") continue;
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
  app.footer("mpirun --why PID has a running mpirun say why its job does not go on.");
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
