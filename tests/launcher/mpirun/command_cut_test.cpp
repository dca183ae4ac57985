#include "launcher/mpirun/command_cut.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "launcher/mpirun/cli_options.hpp"
#include "launcher/mpirun/foreign_options.hpp"

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CommandCut cut(const Words& words) {
  CLI::App app;
  CliOptions part;
  add_options(app, part);
  return cut_at_program(app, words);
}

// An option that a launcher documents, without its dashes, and how many words belong to it.
struct Documented {
  const char* name;
  int values;
};

// The standard's mpiexec (MPI 5.0, portable startup of processes).
constexpr Documented of_the_standard[] = {{"n", 1},
                                          {"soft", 1},
                                          {"host", 1},
                                          {"arch", 1},
                                          {"wdir", 1},
                                          {"path", 1},
                                          {"configfile", 1},
                                          {"initial-errhandler", 1},
                                          {"memory-alloc-kinds", 1}};

// Open MPI 4.1: mpirun(1) and mpirun --help all.
constexpr Documented of_open_mpi_4[] = {{"q", 0},
                                        {"quiet", 0},
                                        {"v", 0},
                                        {"verbose", 0},
                                        {"N", 1},
                                        {"display-map", 0},
                                        {"display-allocation", 0},
                                        {"output-proctable", 0},
                                        {"dvm", 0},
                                        {"max-vm-size", 1},
                                        {"novm", 0},
                                        {"hnp", 1},
                                        {"H", 1},
                                        {"host", 1},
                                        {"hostfile", 1},
                                        {"default-hostfile", 1},
                                        {"machinefile", 1},
                                        {"cpu-set", 1},
                                        {"c", 1},
                                        {"n", 1},
                                        {"np", 1},
                                        {"npersocket", 1},
                                        {"npernode", 1},
                                        {"pernode", 0},
                                        {"map-by", 1},
                                        {"bycore", 0},
                                        {"byslot", 0},
                                        {"nolocal", 0},
                                        {"nooversubscribe", 0},
                                        {"oversubscribe", 0},
                                        {"bynode", 0},
                                        {"cpu-list", 1},
                                        {"rank-by", 1},
                                        {"bind-to", 1},
                                        {"cpus-per-proc", 1},
                                        {"cpus-per-rank", 1},
                                        {"bind-to-core", 0},
                                        {"bind-to-socket", 0},
                                        {"report-bindings", 0},
                                        {"rf", 1},
                                        {"rankfile", 1},
                                        {"output-filename", 1},
                                        {"stdin", 1},
                                        {"merge-stderr-to-stdout", 0},
                                        {"tag-output", 0},
                                        {"timestamp-output", 0},
                                        {"xml", 0},
                                        {"xml-file", 1},
                                        {"xterm", 1},
                                        {"path", 1},
                                        {"prefix", 1},
                                        {"noprefix", 0},
                                        {"preload-binary", 0},
                                        {"preload-files", 1},
                                        {"set-cwd-to-session-dir", 0},
                                        {"wd", 1},
                                        {"wdir", 1},
                                        {"x", 1},
                                        {"gmca", 2},
                                        {"mca", 2},
                                        {"am", 1},
                                        {"tune", 1},
                                        {"debug", 0},
                                        {"get-stack-traces", 0},
                                        {"debugger", 1},
                                        {"timeout", 1},
                                        {"tv", 0},
                                        {"allow-run-as-root", 0},
                                        {"app", 1},
                                        {"cf", 1},
                                        {"cartofile", 1},
                                        {"continuous", 0},
                                        {"disable-recovery", 0},
                                        {"do-not-launch", 0},
                                        {"do-not-resolve", 0},
                                        {"enable-recovery", 0},
                                        {"index-argv-by-rank", 0},
                                        {"leave-session-attached", 0},
                                        {"max-restarts", 1},
                                        {"ompi-server", 1},
                                        {"personality", 1},
                                        {"ppr", 1},
                                        {"report-child-jobs-separately", 0},
                                        {"report-events", 1},
                                        {"report-pid", 1},
                                        {"report-uri", 1},
                                        {"show-progress", 0},
                                        {"terminate", 0},
                                        {"use-hwthread-cpus", 0},
                                        {"use-regexp", 0},
                                        {"d", 0},
                                        {"debug-devel", 0},
                                        {"debug-daemons", 0},
                                        {"debug-daemons-file", 0},
                                        {"display-devel-allocation", 0},
                                        {"display-devel-map", 0},
                                        {"display-diffable-map", 0},
                                        {"display-topo", 0},
                                        {"launch-agent", 1},
                                        {"report-state-on-timeout", 0},
                                        {"enable-instant-on-support", 0},
                                        {"fwd-mpirun-port", 0}};

// Open MPI 5: what its mpirun(1) has beside those.
constexpr Documented of_open_mpi_5[] = {{"display", 1},
                                        {"output", 1},
                                        {"stream-buffering", 1},
                                        {"runtime-options", 1},
                                        {"omca", 2},
                                        {"gomca", 2},
                                        {"prtemca", 2},
                                        {"gprtemca", 2},
                                        {"pmixmca", 2},
                                        {"gpmixmca", 2},
                                        {"pmixam", 1},
                                        {"amca", 1},
                                        {"dvm-uri", 1},
                                        {"forward-signals", 1},
                                        {"daemonize", 0},
                                        {"set-sid", 0},
                                        {"keepalive", 1},
                                        {"exec-agent", 1},
                                        {"with-ft", 1},
                                        {"add-host", 1},
                                        {"add-hostfile", 1},
                                        {"app-prefix", 1},
                                        {"no-app-prefix", 0},
                                        {"pmix-prefix", 1},
                                        {"pset", 1},
                                        {"spawn-timeout", 1},
                                        {"stop-on-exec", 0},
                                        {"stop-in-init", 0},
                                        {"stop-in-app", 0},
                                        {"memory-alloc-kinds", 1},
                                        {"initial-errhandler", 1},
                                        {"output-directory", 1},
                                        {"display-comm", 0},
                                        {"display-comm-finalize", 0},
                                        {"no-ready-msg", 0},
                                        {"singleton", 1},
                                        {"system-server", 0},
                                        {"system-server-first", 0},
                                        {"system-server-only", 0},
                                        {"tmpdir", 1},
                                        {"rankfile", 1},
                                        {"path", 1},
                                        {"soft", 1},
                                        {"arch", 1},
                                        {"dvm-hostfile", 1},
                                        {"launcher-hostfile", 1},
                                        {"namespace", 1},
                                        {"pid", 1},
                                        {"wait-to-connect", 1},
                                        {"num-connect-retries", 1},
                                        {"no-aggregate-help", 0},
                                        {"gpu-support", 1}};

// MPICH's Hydra: mpiexec.hydra --help. (-info ends mpiexec.)
constexpr Documented of_hydra[] = {{"genv", 2},
                                   {"genvlist", 1},
                                   {"genvnone", 0},
                                   {"genvall", 0},
                                   {"f", 1},
                                   {"hosts", 1},
                                   {"wdir", 1},
                                   {"configfile", 1},
                                   {"env", 2},
                                   {"envlist", 1},
                                   {"envnone", 0},
                                   {"envall", 0},
                                   {"n", 1},
                                   {"np", 1},
                                   {"launcher", 1},
                                   {"launcher-exec", 1},
                                   {"enable-x", 0},
                                   {"disable-x", 0},
                                   {"rmk", 1},
                                   {"topolib", 1},
                                   {"bind-to", 1},
                                   {"map-by", 1},
                                   {"membind", 1},
                                   {"demux", 1},
                                   {"verbose", 0},
                                   {"info", 0},
                                   {"print-all-exitcodes", 0},
                                   {"iface", 1},
                                   {"ppn", 1},
                                   {"profile", 0},
                                   {"prepend-rank", 0},
                                   {"prepend-pattern", 1},
                                   {"outfile-pattern", 1},
                                   {"errfile-pattern", 1},
                                   {"nameserver", 1},
                                   {"disable-auto-cleanup", 0},
                                   {"disable-hostname-propagation", 0},
                                   {"order-nodes", 1},
                                   {"localhost", 1},
                                   {"usize", 1},
                                   {"pmi-port", 0},
                                   {"skip-launch-node", 0},
                                   {"gpus-per-proc", 1},
                                   {"bootstrap", 1},
                                   {"bootstrap-exec", 1},
                                   {"perhost", 1},
                                   {"machinefile", 1},
                                   {"hostfile", 1},
                                   {"l", 0},
                                   {"genvexcl", 1},
                                   {"print-rank-map", 0}};

class Documentation : public testing::TestWithParam<std::pair<const char*, std::vector<Documented>>> {};

// Each is known, and takes as many words as it does there: what follows is the program. So no value is taken for the
// program, nothing of the program for a value, and no long option with one dash for a short one with a value.
TEST_P(Documentation, OptionsTakeTheirOwnWordsAndNoOthers) {
  for (const Documented& option : GetParam().second) {
    std::vector<std::string> spellings{std::string("-") + option.name};
    if (strlen(option.name) > 1) spellings.push_back(std::string("--") + option.name);
    for (const std::string& name : spellings) {
      Words words{name};
      for (int i = 0; i < option.values; ++i) words.push_back("value");
      words.insert(words.end(), {"./prog", "-n", "4"});
      const CommandCut found = cut(words);
      if (!found.error.empty()) {
        EXPECT_THAT(found.error, HasSubstr(" is not offered: ")) << name;
        EXPECT_TRUE(found.error.starts_with(name)) << found.error;
        continue;
      }
      EXPECT_THAT(found.program, ElementsAre("./prog", "-n", "4")) << name;
      // What stays is an option of ours, which is spelled with its whole name.
      const bool whole = found.options.empty() || found.options[0].size() == 2 || found.options[0].starts_with("--");
      EXPECT_TRUE(whole) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, Documentation,
    testing::Values(std::pair{"standard", std::vector(std::begin(of_the_standard), std::end(of_the_standard))},
                    std::pair{"open_mpi_4", std::vector(std::begin(of_open_mpi_4), std::end(of_open_mpi_4))},
                    std::pair{"open_mpi_5", std::vector(std::begin(of_open_mpi_5), std::end(of_open_mpi_5))},
                    std::pair{"hydra", std::vector(std::begin(of_hydra), std::end(of_hydra))}),
    [](const auto& info) { return std::string(info.param.first); });

TEST(CommandCut, ALongOptionWithOneDashIsNoShortOne) {
  EXPECT_THAT(cut({"-iface", "eth0", "./prog"}).options, ElementsAre("--iface", "eth0"));
  EXPECT_THAT(cut({"-soft", "1:4", "./prog"}).options, ElementsAre("--soft", "1:4"));
  EXPECT_THAT(cut({"-hnpx", "./prog"}).error, HasSubstr("unknown option -hnpx"));
  EXPECT_THAT(cut({"-fhosts", "./prog"}).error, HasSubstr("unknown option -fhosts"));
  EXPECT_THAT(cut({"-hostfle", "x", "./prog"}).error, HasSubstr("did you mean --hostfile?"));
  EXPECT_THAT(cut({"-x4", "./prog"}).error, HasSubstr("unknown option -x4"));
  EXPECT_THAT(cut({"-l4", "./prog"}).error, HasSubstr("unknown option -l4"));
  EXPECT_THAT(cut({"-n4", "./prog"}).options, ElementsAre("-n4"));
}

TEST(CommandCut, OptionsOfOthersBecomeOurOwn) {
  EXPECT_THAT(cut({"-npersocket", "2", "p"}).options, ElementsAre("--map-by", "ppr:2:socket"));
  EXPECT_THAT(cut({"--mca", "btl_tcp_if_include", "lo", "p"}).options, ElementsAre("--iface", "lo"));
  EXPECT_THAT(cut({"-launcher-exec", "my ssh", "p"}).options, ElementsAre("--rsh-agent", "my ssh"));
  EXPECT_THAT(cut({"-launcher", "ssh", "p"}).options, ElementsAre());
  EXPECT_THAT(cut({"-launcher=rsh", "p"}).options, ElementsAre("--rsh-agent", "rsh"));
  EXPECT_THAT(cut({"--output-proctable", "-", "p"}).program, ElementsAre("p"));
  EXPECT_THAT(cut({"-maxtime", "9", "p"}).options, ElementsAre("--timeout", "9"));
}

TEST(CommandCut, WhatIsIgnoredIsToldInALineForEachReason) {
  const CommandCut found = cut({"--mca", "pml", "ob1", "-d", "--mca", "btl", "self,tcp", "p"});
  const auto told = describe_ignored(found.ignored);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0], HasSubstr("--mca pml ob1, --mca btl self,tcp ignored: parameters of Open MPI"));
  EXPECT_THAT(told[1], HasSubstr("-d ignored: "));
}

TEST(CommandCut, ValuesThatAreMissingAndOptionsThatAreGivenTwice) {
  EXPECT_THAT(cut({"-soft"}).error, HasSubstr("-soft: a value is missing"));
  EXPECT_THAT(cut({"--mca", "btl"}).error, HasSubstr("--mca: a value is missing"));
  EXPECT_EQ(cut({"-n", "2", "-np", "3", "p"}).error, "-np is given twice");
  EXPECT_EQ(cut({"-x", "A=1", "-x", "B=2", "-v", "-v", "p"}).error, "");
}

TEST(CommandCut, AssignmentsInOneWord) {
  EXPECT_THAT(cut({"-env", "A=b=c", "p"}).options, ElementsAre("--env", "A", "b=c"));
  EXPECT_THAT(cut({"-genv", "A", "b=c", "p"}).options, ElementsAre("--genv", "A", "b=c"));
  EXPECT_THAT(cut({"-genv", "A=", "p"}).program, ElementsAre("p"));
  EXPECT_THAT(cut({"-n=4", "p"}).options, ElementsAre("-n", "4"));
  EXPECT_THAT(cut({"--np=4", "p"}).options, ElementsAre("--np=4"));
}

TEST(CommandCut, OptionsFromAFile) {
  const std::string path = testing::TempDir() + "options." + std::to_string(getpid());
  std::ofstream(path) << "# usual ones\n-n 2 \\\n  -wdir /tmp\n-env A 'b c'\n--mca pml ob1\n";
  const CommandCut found = cut({"-file", path, "-l", "p"});
  EXPECT_EQ(found.error, "");
  EXPECT_THAT(found.options, ElementsAre("-n", "2", "--wdir", "/tmp", "--env", "A", "b c", "-l"));
  EXPECT_EQ(found.ignored.size(), 1u);
  EXPECT_THAT(cut({"--file=" + path, "p"}).options.size(), 7u);
  std::ofstream(path) << "-l\n\nnode1\n";
  EXPECT_THAT(cut({"-file", path, "p"}).error,
              HasSubstr(path + ": line 3: 'node1' is no option (hosts are named with"));
  std::ofstream(path) << "-file " + path;
  EXPECT_THAT(cut({"-file", path, "p"}).error, HasSubstr("without end"));
  unlink(path.c_str());
  EXPECT_THAT(cut({"-file", path, "p"}).error, HasSubstr("cannot read " + path));
}

}  // namespace
}  // namespace cow::launch
