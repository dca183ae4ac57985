#include "launcher/mpirun/foreign_options.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace cow::launch {
namespace {

using enum ForeignOption::Kind;

constexpr const char* parameters = "parameters of Open MPI and its parts; cowinfo lists the settings of this library";
constexpr const char* own_debugger = "start the debugger itself: mpirun -n 2 gdb -x COMMANDS --args PROGRAM";
constexpr const char* copied = "programs and files are not copied to other hosts: put them there before";
constexpr const char* no_server = "jobs do not meet through servers, and mpirun needs none running before it";
constexpr const char* no_pinning =
    "ranks are bound with --bind-to, --map-by and --cpus-per-rank; or run mpirun under taskset";
constexpr const char* no_restart = "the first failure ends the job";
constexpr const char* for_developers = "-v tells what mpirun does, and --why-after what ranks wait for";
constexpr const char* by_itself = "mpirun sees to that by itself";
constexpr const char* patterns = "--output-filename NAME writes NAME.RANK.out and NAME.RANK.err";
constexpr const char* resource_manager =
    "the allocation of Slurm, PBS and LSF is found by itself; name other hosts with --hostfile";
constexpr const char* remote_shell = "other hosts are reached with --rsh-agent COMMAND, or inside Slurm with srun";

// The rows of one option with a value stand before that for all its values.
constexpr ForeignOption options[] = {
    // Open MPI 4 and 5: placement.
    {"bycore", 0, means, "--map-by core"},
    {"bysocket", 0, means, "--map-by socket"},
    {"bynuma", 0, means, "--map-by numa"},
    {"bind-to-core", 0, means, "--bind-to core"},
    {"bind-to-socket", 0, means, "--bind-to socket"},
    {"bind-to-none", 0, means, "--bind-to none"},
    {"npersocket", 1, means, "--map-by ppr:%:socket"},
    {"ppr", 1, means, "--map-by ppr:%"},
    {"default-hostfile", 1, means, "--hostfile %"},
    {"display-allocation", 0, means, "--display map"},
    {"display-devel-map", 0, means, "--display map"},
    {"display-devel-allocation", 0, means, "--display map"},
    {"display-diffable-map", 0, means, "--display map"},
    {"display-topo", 0, ignored, "lstopo of hwloc draws the machine"},
    {"do-not-launch", 0, means, "--dry-run"},
    {"no-oversubscribe", 0, same, ""},
    {"cpu-set", 1, refused, no_pinning},
    {"cpu-list", 1, refused, no_pinning},
    {"rankfile", 1, refused, no_pinning},
    {"rf", 1, refused, no_pinning},
    {"cartofile", 1, ignored, by_itself},
    {"cf", 1, ignored, by_itself},
    {"max-vm-size", 1, ignored, by_itself},
    {"novm", 0, same, ""},
    {"add-host", 1, refused, "name all hosts with --host"},
    {"add-hostfile", 1, refused, "name all hosts with --hostfile"},
    // Output.
    {"xml", 0, refused, "output is not written as XML; -l puts the rank before each line"},
    {"xml-file", 1, refused, "output is not written as XML; --output-filename NAME gives each rank a file"},
    {"xterm", 1, refused, "start the terminal itself: mpirun -n 2 xterm -e PROGRAM"},
    {"output-directory", 1, refused, patterns},
    {"output-proctable -", 1, ignored, "-v tells each rank's process"},  // Open MPI 5; 4 has no value
    {"output-proctable +", 1, ignored, "-v tells each rank's process"},
    {"output-proctable", 0, ignored, "-v tells each rank's process"},
    {"stream-buffering", 1, ignored, "lines are passed on when they are whole"},
    {"display-comm", 0, ignored, "cowinfo --protocols tells how messages go"},
    {"display-comm-finalize", 0, ignored, "COW_COUNTERS=yes tells how messages went"},
    {"show-progress", 0, ignored, "-v tells what is started, and who answered"},
    {"tag-output-detailed", 0, means, "--tag-output"},
    // Files and environment.
    {"preload-binary", 0, refused, copied},
    {"preload-files", 1, refused, copied},
    {"preload-files-dest-dir", 1, refused, copied},
    {"set-cwd-to-session-dir", 0, refused, "jobs have no folder of their own; --wdir DIR says where ranks start"},
    {"noprefix", 0, same, ""},
    {"no-app-prefix", 0, same, ""},
    {"app-prefix", 1, ignored, "--prefix DIR says where this library is on other hosts"},
    {"pmix-prefix", 1, ignored, "--prefix DIR says where this library is on other hosts"},
    {"index-argv-by-rank", 0, refused, "arguments are the same for all ranks; $PMIX_RANK tells them apart"},
    {"pset", 1, refused, "process sets are those that MPI names itself"},
    // Parameters.
    {"mca btl_tcp_if_include", 2, means, "--iface %"},
    {"mca oob_tcp_if_include", 2, same, ""},
    {"mca plm_rsh_agent", 2, means, "--rsh-agent %"},
    {"mca rmaps_base_mapping_policy", 2, means, "--map-by %"},
    {"mca hwloc_base_binding_policy", 2, means, "--bind-to %"},
    {"mca", 2, ignored, parameters},
    {"gmca", 2, ignored, parameters},
    {"omca", 2, ignored, parameters},
    {"gomca", 2, ignored, parameters},
    {"prtemca", 2, ignored, parameters},
    {"gprtemca", 2, ignored, parameters},
    {"pmixmca", 2, ignored, parameters},
    {"gpmixmca", 2, ignored, parameters},
    {"am", 1, ignored, parameters},
    {"amca", 1, ignored, parameters},
    {"pmixam", 1, ignored, parameters},
    {"tune", 1, ignored, parameters},
    {"personality", 1, same, ""},
    {"runtime-options", 1, ignored, no_restart},
    {"with-ft", 1, ignored, no_restart},
    // Debugging.
    {"debug", 0, refused, own_debugger},
    {"debugger", 1, refused, own_debugger},
    {"tv", 0, refused, own_debugger},
    {"stop-on-exec", 0, refused, own_debugger},
    {"stop-in-init", 0, refused, own_debugger},
    {"stop-in-app", 0, refused, own_debugger},
    {"get-stack-traces", 0, ignored, for_developers},
    {"report-state-on-timeout", 0, ignored, for_developers},
    {"d", 0, ignored, for_developers},
    {"debug-devel", 0, ignored, for_developers},
    {"debug-verbose", 1, ignored, for_developers},
    {"debug-daemons", 0, ignored, for_developers},
    {"debug-daemons-file", 0, ignored, for_developers},
    {"leave-session-attached", 0, same, ""},
    {"test-suicide", 1, ignored, for_developers},
    // The job and its servers.
    {"continuous", 0, ignored, no_restart},
    {"disable-recovery", 0, same, ""},
    {"enable-recovery", 0, ignored, no_restart},
    {"recoverable", 0, ignored, no_restart},
    {"max-restarts", 1, ignored, no_restart},
    {"exit-on-first-error", 0, same, ""},
    {"report-child-jobs-separately", 0, ignored, "the status is that of the first failure"},
    {"report-events", 1, ignored, "-v tells what happens"},
    {"report-uri", 1, refused, no_server},
    {"ompi-server", 1, refused, no_server},
    {"dvm", 0, refused, no_server},
    {"dvm-uri", 1, refused, no_server},
    {"hnp", 1, refused, no_server},
    {"terminate", 0, refused, no_server},
    {"dvm-hostfile", 1, refused, no_server},
    {"launcher-hostfile", 1, refused, "name all hosts with --hostfile"},
    {"system-server", 0, refused, no_server},
    {"system-server-first", 0, refused, no_server},
    {"system-server-only", 0, refused, no_server},
    {"namespace", 1, refused, no_server},
    {"pid", 1, refused, no_server},
    {"singleton", 1, refused, no_server},
    {"no-ready-msg", 0, same, ""},
    {"no-aggregate-help", 0, same, ""},
    {"homo-nodes", 0, same, ""},
    {"hetero-nodes", 0, same, ""},
    {"num-connect-retries", 1, ignored, by_itself},
    {"wait-to-connect", 1, ignored, by_itself},
    {"tmpdir", 1, ignored, "nothing of a job lies in a folder"},
    {"gpu-support", 1, ignored, "memory of GPUs is not passed to MPI"},
    {"wait-for-server", 0, ignored, no_server},
    {"server-wait-time", 1, ignored, no_server},
    {"spawn-timeout", 1, ignored, "--start-timeout says how long a host may take to answer"},
    {"do-not-resolve", 0, same, ""},
    {"enable-instant-on-support", 0, same, ""},
    {"fwd-mpirun-port", 0, same, ""},
    {"use-regexp", 0, same, ""},
    {"daemonize", 0, refused, "put mpirun in the background instead: mpirun … &"},
    {"set-sid", 0, same, ""},
    {"keepalive", 1, ignored, "--host-timeout says how long a host may be silent"},
    {"launch-agent", 1, ignored, "--prefix DIR says where this library is on other hosts"},
    {"exec-agent", 1, ignored, "put the command before the program: mpirun -n 4 COMMAND PROGRAM"},
    {"forward-signals", 1, ignored, "INT, TERM, HUP, QUIT, USR1, USR2, TSTP and CONT are passed on"},
    // MPICH's Hydra.
    {"launcher ssh", 1, same, ""},
    {"launcher fork", 1, same, ""},
    {"launcher slurm", 1, same, ""},
    {"launcher rsh", 1, means, "--rsh-agent rsh"},
    {"launcher", 1, refused, remote_shell},
    {"launcher-exec", 1, means, "--rsh-agent %"},
    {"bootstrap ssh", 1, same, ""},
    {"bootstrap fork", 1, same, ""},
    {"bootstrap slurm", 1, same, ""},
    {"bootstrap rsh", 1, means, "--rsh-agent rsh"},
    {"bootstrap", 1, refused, remote_shell},
    {"bootstrap-exec", 1, means, "--rsh-agent %"},
    {"bootstrap-exec-args", 1, refused, "--rsh-agent takes the command with its arguments, in quotes"},
    {"enable-x", 0, ignored, "--rsh-agent 'ssh -X' passes the display on"},
    {"disable-x", 0, same, ""},
    {"rmk user", 1, same, ""},
    {"rmk slurm", 1, same, ""},
    {"rmk pbs", 1, same, ""},
    {"rmk lsf", 1, same, ""},
    {"rmk", 1, ignored, resource_manager},
    {"topolib hwloc", 1, same, ""},
    {"topolib", 1, ignored, "hwloc tells what the machine is like"},
    {"membind", 1, ignored, "memory is where the rank that touches it first runs; see --bind-to"},
    {"demux", 1, same, ""},
    {"info", 0, means, "--version"},
    {"profile", 0, ignored, "-v tells what mpirun does, COW_COUNTERS=yes what the library did"},
    {"prepend-pattern", 1, ignored, "-l puts the rank before each line"},
    {"outfile-pattern", 1, refused, patterns},
    {"errfile-pattern", 1, refused, patterns},
    {"nameserver", 1, refused, no_server},
    {"disable-auto-cleanup", 0, ignored, no_restart},
    {"disable-hostname-propagation", 0, same, ""},
    {"order-nodes", 1, ignored, "hosts are filled in the order in which they are named"},
    {"localhost", 1, ignored, by_itself},
    {"usize", 1, ignored, "the universe is the job"},
    {"pmi-port", 0, same, ""},
    {"skip-launch-node", 0, means, "--nolocal"},
    {"gpus-per-proc", 1, ignored,
     "GPUs are not shared out; set CUDA_VISIBLE_DEVICES or the like from $MPI_LOCALRANKID"},
    {"maxtime", 1, means, "--timeout %"},
    {"exitinfo", 0, means, "--print-all-exitcodes"},
    // Intel's, which is Hydra with more.
    {"hosts-group", 1, refused, "name the hosts with --host, or in a file with --hostfile"},
    {"print-rank-map", 0, means, "--display map"},
    {"binding", 1, refused, no_pinning},
    {"check_mpi", 0, ignored, "the arguments of every call are checked anyway (COW_CHECKS)"},
    {"trace", 0, ignored, "COW_COUNTERS=yes prints what the library did"},
    {"gtool", 1, refused, "put the tool before the program: mpirun -n 4 TOOL PROGRAM"},
    {"gdb", 0, refused, own_debugger},
    {"tva", 1, refused, own_debugger},
    {"umask", 1, refused, "start a shell that sets it: mpirun -n 4 sh -c 'umask 077; exec PROGRAM'"},
    {"localroot", 0, ignored, by_itself},
    {"localuser", 0, ignored, by_itself},
    {"cleanup", 0, same, ""},
};

}  // namespace

const ForeignOption* find_foreign_option(std::string_view name, std::string_view value) {
  const std::string with_value = std::string(name) + " " + std::string(value);
  const auto found = std::find_if(std::begin(options), std::end(options),
                                  [&](const ForeignOption& row) { return row.name == name || row.name == with_value; });
  return found == std::end(options) ? nullptr : found;
}

}  // namespace cow::launch
