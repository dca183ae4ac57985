#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "job.hpp"

namespace cow::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::size_t ranks_of(const std::vector<std::string>& arguments) {
  const Finished job = mpirun(arguments);
  EXPECT_EQ(job.status, 0) << job.err;
  return lines(job.out).size();
}

// Four hosts of four ranks get a quarter each of a square, and not a row.
TEST(CommandLine, MapByLayoutPutsNeighboursTogether) {
  const Finished job = mpirun(
      {"--dry-run", "--host", "a:4,b:4,c:4,d:4", "--layout", "mesh:4x4", "--map-by", "layout", "-n", "16", "./prog"});
  EXPECT_EQ(job.out,
            "a: ranks 0-1,4-5 (./prog)\nb: ranks 2-3,6-7 (./prog)\nc: ranks 8-9,12-13 (./prog)\nd: ranks 10-11,14-15 "
            "(./prog)\n");
  EXPECT_THAT(mpirun({"--map-by", "layout", "-n", "4", "true"}).err, HasSubstr("--map-by layout needs a layout"));
  EXPECT_EQ(mpirun({"--map-by", "layout", "--layout", "ring:4", "-n", "4", "echo", "ran"}).out, "ran\nran\nran\nran\n");
}

TEST(CommandLine, TheUsualSpellingsOfTheNumberOfRanks) {
  for (const char* option : {"-n", "-np", "--np", "-c"}) EXPECT_EQ(ranks_of({option, "3", "echo", "x"}), 3u) << option;
  EXPECT_EQ(ranks_of({"-n3", "echo", "x"}), 3u);
  EXPECT_EQ(ranks_of({"--np=3", "echo", "x"}), 3u);
  EXPECT_EQ(ranks_of({"echo", "x"}), 1u);
}

TEST(CommandLine, WhatFollowsTheProgramBelongsToIt) {
  const Finished job = mpirun({"-n", "1", "echo", "-n", "2", "--help", "--foo"});
  EXPECT_EQ(job.out, "2 --help --foo");
  EXPECT_EQ(mpirun({"-n", "1", "--", "echo", "x"}).out, "x\n");
}

TEST(CommandLine, AnUnknownOptionIsNamedWithTheNearest) {
  const Finished job = mpirun({"--hostfil", "x", "true"});
  EXPECT_EQ(job.status, 2);
  EXPECT_THAT(job.err, AllOf(HasSubstr("--hostfil"), HasSubstr("did you mean --hostfile?")));
  EXPECT_EQ(lines(job.err).size(), 1u);
  EXPECT_EQ(mpirun({"-n", "two", "true"}).status, 2);
  EXPECT_THAT(mpirun({"-np", "two", "true"}).err, HasSubstr("mpirun: -np: two: expected a number from 1 to "));
  EXPECT_THAT(mpirun({"-n", "1", "true", ":"}).err, HasSubstr("part 2 of the command line: no program was given"));
  EXPECT_THAT(mpirun({"-wdir", "/nowhere", "./a.out"}).err, HasSubstr("cannot enter /nowhere on host"));
  EXPECT_EQ(mpirun({"-n", "0", "true"}).status, 2);
  EXPECT_EQ(mpirun({"--timeout", "-1", "true"}).err, "mpirun: --timeout: -1: expected a number of seconds\n");
  EXPECT_EQ(mpirun({"-n"}).status, 2);
  EXPECT_EQ(mpirun({}).status, 2);
}

TEST(CommandLine, ALayoutHasAPlaceForEachRank) {
  EXPECT_EQ(mpirun({"-n", "4", "--layout", "torus:2x2", "sh", "-c", "echo $COW_LAYOUT"}).out,
            "torus:2x2\ntorus:2x2\ntorus:2x2\ntorus:2x2\n");
  const Finished small = mpirun({"-n", "6", "--layout", "torus:4x4", "echo", "started"});
  EXPECT_NE(small.status, 0);
  EXPECT_EQ(small.out, "");
  EXPECT_THAT(small.err, HasSubstr("layout torus:4x4 has 16 places for 6 ranks; it would fit: torus:3x2"));
  const Finished cube = mpirun({"-n", "6", "echo", "started"}, {"", {"COW_LAYOUT=hypercube:3"}, -1});
  EXPECT_THAT(cube.err, AllOf(HasSubstr("COW_LAYOUT"), HasSubstr("hypercube:2 for 4 ranks")));
  EXPECT_THAT(mpirun({"--layout", "circle:3", "true"}).err, HasSubstr("expected switch, ring:N"));
}

TEST(CommandLine, UnknownAndMalformedSettingsAreRefusedByName) {
  const Finished unknown = mpirun({"-n", "1", "echo", "started"}, {"", {"COW_PROVIDR=net"}, -1});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("COW_PROVIDR"), HasSubstr("COW_PROVIDER?")));
  EXPECT_EQ(unknown.out, "");
  const Finished malformed = mpirun({"-n", "1", "true"}, {"", {"COW_EAGER_LIMIT=many"}, -1});
  EXPECT_EQ(malformed.status, 2);
  EXPECT_THAT(malformed.err, HasSubstr("COW_EAGER_LIMIT=many"));
  EXPECT_EQ(mpirun({"-x", "COW_WAIT=slep", "true"}).status, 2);
  EXPECT_EQ(mpirun({"--provider", "nte", "true"}).status, 2);
}

TEST(CommandLine, SettingsAreOptionsToo) {
  EXPECT_EQ(mpirun({"--provider", "sockets", "sh", "-c", "echo $COW_PROVIDER"}).out, "sockets\n");
  EXPECT_EQ(mpirun({"--eager-limit", "4K", "sh", "-c", "echo $COW_EAGER_LIMIT"}).out, "4K\n");
}

TEST(CommandLine, VariablesForTheRanks) {
  EXPECT_EQ(mpirun({"-x", "A=1", "-x", "HOME", "-genv", "B", "2", "-env", "C", "3", "sh", "-c", "echo $A$B$C"}).out,
            "123\n");
}

// What the standard says of mpiexec.
TEST(CommandLine, TheStandardsOptions) {
  const std::string folder = testing::TempDir() + "path." + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/env") << "#!/bin/sh\necho mine\n";
  std::filesystem::permissions(folder + "/env", std::filesystem::perms::owner_all);
  EXPECT_EQ(mpirun({"-path", "/nowhere:" + folder, "env"}).out, "mine\n");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(ranks_of({"-n", "8", "-soft", "1:8:3", "-host", "localhost:5", "echo", "x"}), 4u);
  EXPECT_THAT(mpirun({"-n", "2", "-soft", "3:4", "true"}).err, HasSubstr("-soft 3:4: no count from 1 to 2"));
  EXPECT_THAT(mpirun({"-arch", "pdp11", "true"}).err, HasSubstr("-arch pdp11: this host is "));
  EXPECT_EQ(mpirun({"-initial-errhandler", "MPI_ERRORS_RETURN", "sh", "-c", "echo $COW_INITIAL_ERRHANDLER"}).out,
            "mpi_errors_return\n");
  EXPECT_THAT(mpirun({"-initial-errhandler", "mine", "true"}).err, HasSubstr("mpi_errors_abort"));
  EXPECT_EQ(mpirun({"-memory-alloc-kinds", "system", "sh", "-c", "echo $COW_MEMORY_ALLOC_KINDS"}).out, "system\n");
  const Finished own = mpirun({"--dry-run", "-n", "1", "-host", "a", "./x", ":", "-n", "2", "-host", "b", "./y"});
  EXPECT_EQ(own.out, "a: rank 0 (./x)\nb: ranks 1-2 (./y)\n") << own.err;
}

TEST(CommandLine, OptionsOfOtherLaunchersAreActedOnOrTold) {
  const Finished told = mpirun({"--mca", "btl", "self,tcp", "-n", "1", "echo", "x"});
  EXPECT_EQ(told.out, "x\n");
  EXPECT_THAT(told.err, AllOf(HasSubstr("--mca btl self,tcp ignored: "), HasSubstr("cowinfo")));
  EXPECT_EQ(lines(told.err).size(), 1u);
  EXPECT_EQ(mpirun({"-q", "--mca", "btl", "self,tcp", "-n", "1", "echo", "x"}).err, "");
  EXPECT_EQ(mpirun({"--launcher", "ssh", "--rmk", "user", "-n", "1", "echo", "x"}).err, "");
  EXPECT_THAT(mpirun({"--rankfile", "x", "true"}).err, HasSubstr("--rankfile x is not offered: "));
  EXPECT_EQ(mpirun({"--nolocal", "--host", "localhost", "true"}).status, 2);
  EXPECT_EQ(mpirun({"--dry-run", "--nolocal", "--host", "localhost,a", "-n", "2", "./x"}).out, "a: ranks 0-1 (./x)\n");
  EXPECT_EQ(mpirun({"--merge-stderr-to-stdout", "sh", "-c", "echo x >&2"}).out, "x\n");
  EXPECT_EQ(mpirun({"--output", "tag", "echo", "x"}).out, "[0] x\n");
  EXPECT_THAT(mpirun({"--print-all-exitcodes", "-n", "1", "true"}).err, HasSubstr("ended with status 0"));
  JobRun job({MPIRUN, "--report-pid", "-", "true"});
  const std::string pid = std::to_string(job.pid());
  job.finish();
  EXPECT_EQ(job.out, pid + "\n");
}

TEST(CommandLine, TheDirectoryOfTheRanks) {
  EXPECT_EQ(mpirun({"-wdir", "/usr", "pwd"}).out, "/usr\n");
  EXPECT_EQ(mpirun({"pwd"}).out, std::filesystem::current_path().string() + "\n");
}

TEST(CommandLine, SeveralPrograms) {
  const Finished job = mpirun(
      {"-n", "2", "sh", "-c", "echo a$PMIX_RANK", ":", "-n", "1", "-env", "X", "x", "sh", "-c", "echo b$PMIX_RANK$X"});
  auto all = lines(job.out);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (std::vector<std::string>{"a0", "a1", "b2x"}));
  EXPECT_EQ(mpirun({"-n", "1", "true", ":", "true"}).status, 2);
  EXPECT_EQ(mpirun({"-n", "1", "true", ":", "-n", "1", "--timeout", "3", "true"}).status, 2);
  EXPECT_EQ(mpirun({"-n", "2", CLIENT, "exchange", ":", "-n", "2", CLIENT, "exchange"}).status, 0);
}

TEST(CommandLine, ProgramsFromAFile) {
  const std::string path = testing::TempDir() + "programs." + std::to_string(getpid());
  std::ofstream(path)
      << "# two programs\n-n 1 sh -c 'echo \"a b\" $PMIX_RANK'\n\n-n 2 -env X x sh -c 'echo $X $PMIX_RANK'\n";
  auto all = lines(mpirun({"--app", path}).out);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (std::vector<std::string>{"a b 0", "x 1", "x 2"}));
  EXPECT_EQ(mpirun({"--app", path, "true"}).status, 2);
  std::ofstream(path) << "-n 1 echo 'open\n";
  EXPECT_THAT(mpirun({"-configfile", path}).err, HasSubstr("line 1: a quote is not closed"));
  std::ofstream(path) << "# the standard's continuation\n-n 1 \\\n  echo a\n";
  EXPECT_EQ(mpirun({"-configfile", path}).out, "a\n");
  std::ofstream(path) << "-n 1 echo a\n\n-n 1 --bogus echo b\n";
  EXPECT_THAT(mpirun({"-configfile", path}).err, HasSubstr(path + ": line 3: unknown option --bogus"));
  unlink(path.c_str());
}

TEST(CommandLine, AMapWithoutARun) {
  const Finished job = mpirun({"--dry-run", "--host", "a:2,b:2", "--map-by", "node", "-n", "3", "./prog"});
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_EQ(job.out, "a: ranks 0,2 (./prog)\nb: rank 1 (./prog)\n");
  EXPECT_EQ(mpirun({"--dry-run", "--host", "a,b", "-ppn", "2", "./prog"}).out,
            "a: ranks 0-1 (./prog)\nb: ranks 2-3 (./prog)\n");
  EXPECT_EQ(mpirun({"--display", "map", "--host", "localhost", "echo", "x"}).out, "localhost: rank 0 (echo)\nx\n");
}

TEST(CommandLine, VerboseTellsWhatIsStarted) {
  EXPECT_THAT(mpirun({"-v", "true"}).err, AllOf(HasSubstr("started "), HasSubstr("cow-agent"), HasSubstr("answers")));
}

// What --report-bindings says is what the ranks see.
TEST(CommandLine, ReportedBindingsAreThoseOfTheRanks) {
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--bind-to", "core"}, {"--bind-to", "hwthread"}, {"--map-by", "socket"}, {}}) {
    std::vector<std::string> words = options;
    words.insert(words.end(), {"--report-bindings", "-n", "3", "sh", "-c",
                               "echo $PMIX_RANK $(grep Cpus_allowed_list /proc/self/status | cut -f2)"});
    const Finished job = mpirun(words);
    ASSERT_EQ(job.status, 0) << job.err;
    std::vector<std::string> seen = lines(job.out), told;
    for (const std::string& line : lines(job.err)) {
      const std::size_t cpus = line.find(": ", line.find(" on host ")) + 2;
      const std::size_t list = line.find_first_of("0123456789", line.find("CPU", cpus));
      told.push_back(line.substr(13, line.find(' ', 13) - 13) + " " + line.substr(list, line.find(' ', list) - list));
      EXPECT_EQ(line.find("not bound") == std::string::npos, !options.empty()) << line;
    }
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(told, seen);
  }
}

TEST(CommandLine, WrongPlacementsAreRefused) {
  EXPECT_THAT(mpirun({"--bind-to", "kore", "true"}).err, HasSubstr("did you mean core?"));
  EXPECT_EQ(mpirun({"--map-by", "ppr:node", "true"}).status, 2);
  const Finished wide = mpirun({"--cpus-per-rank", "100000", "true"});
  EXPECT_EQ(wide.status, 125);
  EXPECT_THAT(wide.err, HasSubstr("100000 times core"));
}

TEST(CommandLine, HelpByTopic) {
  const Finished placement = mpirun({"--help", "placement"});
  EXPECT_EQ(placement.status, 0);
  EXPECT_THAT(placement.out, AllOf(HasSubstr("--bind-to"), Not(HasSubstr("--hostfile"))));
  EXPECT_EQ(mpirun({"--help", "nonsense"}).status, 2);
}

TEST(CommandLine, HelpAndVersion) {
  EXPECT_EQ(mpirun({"--help"}).status, 0);
  EXPECT_THAT(mpirun({"--help"}).out, AllOf(HasSubstr("--hostfile"), HasSubstr("--provider")));
  EXPECT_THAT(mpirun({"--version"}).out, HasSubstr("COW MPI"));
}

TEST(CommandLine, WordsOfOtherLaunchersAreAccepted) {
  EXPECT_EQ(mpirun({"--oversubscribe", "--allow-run-as-root", "-n", "4", "true"}).status, 0);
}

TEST(CommandLine, MoreRanksThanCoresNeedNothing) { EXPECT_EQ(ranks_of({"-n", "40", "echo", "x"}), 40u); }

TEST(CommandLine, ALimitOfSlotsIsKeptUnlessLifted) {
  const Finished refused = mpirun({"--host", "localhost:2", "-n", "3", "true"});
  EXPECT_EQ(refused.status, 125);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--host gives 2 slots"), HasSubstr("--oversubscribe")));
  EXPECT_EQ(mpirun({"--host", "localhost:2", "--oversubscribe", "-n", "3", "true"}).status, 0);
  EXPECT_EQ(mpirun({"--host", "localhost:2", "-n", "3", "true"}, {"", {"COW_OVERSUBSCRIBE=yes"}, -1}).status, 0);
  EXPECT_EQ(ranks_of({"--host", "localhost:2", "echo", "x"}), 2u);
}

TEST(CommandLine, AHostfile) {
  const std::string path = testing::TempDir() + "hostfile." + std::to_string(getpid());
  std::ofstream(path) << "localhost slots=3\n";
  EXPECT_EQ(ranks_of({"--hostfile", path, "echo", "x"}), 3u);
  EXPECT_EQ(ranks_of({"-machinefile", path, "-n", "2", "echo", "x"}), 2u);
  std::ofstream(path) << "localhost slots=none\n";
  const Finished wrong = mpirun({"-f", path, "true"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr(path), HasSubstr("line 1")));
  unlink(path.c_str());
  EXPECT_THAT(mpirun({"-f", path, "true"}).err, HasSubstr("No such file"));
}

TEST(CommandLine, AHostfileThatIsWrongIsNamedWithItsLine) {
  const std::string path = testing::TempDir() + "wrong." + std::to_string(getpid());
  const std::pair<const char*, const char*> cases[] = {
      {"", ": line 1: the file is empty"},
      {"localhost\na@b@c\n", ": line 2: 'a@b@c' is no name of a host"},
      {"localhost max_slots=two\n", ": line 1: 'max_slots=two': expected at least one slot"}};
  for (const auto& [text, told] : cases) {
    std::ofstream(path) << text;
    const Finished job = mpirun({"--hostfile", path, "true"});
    EXPECT_EQ(job.status, 2);
    EXPECT_THAT(job.err, HasSubstr("the hostfile " + path + told));
  }
  std::filesystem::remove(path);
  EXPECT_THAT(mpirun({"--hostfile", "/tmp", "true"}).err, HasSubstr("cannot read the hostfile /tmp: Is a directory"));
  EXPECT_THAT(mpirun({"--hostfile", path, "true"}).err,
              HasSubstr("cannot read the hostfile " + path + ": No such file"));
}

bool is_name_of_rank(const std::string& entry) {
  return entry.starts_with("OMPI_COMM_WORLD_") || entry.starts_with("PMI_RANK=") || entry.starts_with("PMI_SIZE=") ||
         entry.starts_with("MPI_LOCAL");
}

// All ranks see the environment of mpirun; these names alone are added, and may differ between ranks or nodes.
TEST(Environment, IsThatOfMpirun) {
  const JobOptions options{"", {"ODD=a b\tc=d", "EMPTY=", "LD_LIBRARY_PATH=/nowhere"}, -1};
  const Finished job = mpirun({"-l", "-n", "2", "env"}, options);
  JobRun plain({"/usr/bin/env"}, options);
  plain.finish();
  auto expected = lines(plain.out);
  for (const std::string tag : {"[0] ", "[1] "}) {
    std::vector<std::string> seen;
    for (const std::string& line : lines(job.out)) {
      if (!line.starts_with(tag)) continue;
      const std::string entry = line.substr(tag.size());
      if (!entry.starts_with("PMIX_") && !entry.starts_with("COW_KEY_FD=") && !entry.starts_with("COW_SHM_FD=") &&
          !entry.starts_with("COW_AGENT=") && entry != "COW_JOB_SIZE=2" && !is_name_of_rank(entry))
        seen.push_back(entry);
    }
    std::sort(seen.begin(), seen.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(seen, expected);
  }
}

std::vector<std::string> names_of_ranks(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"-l", "-n", "2", "env"});
  std::vector<std::string> out;
  for (const std::string& line : lines(mpirun(arguments).out)) {
    if (is_name_of_rank(line.substr(4))) out.push_back(line);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Wrappers and libraries look for them before MPI_Init.
TEST(Environment, RankAndSizeHaveTheNamesThatOtherLaunchersGiveThem) {
  const std::vector<std::string> openmpi{"[0] OMPI_COMM_WORLD_LOCAL_RANK=0", "[0] OMPI_COMM_WORLD_LOCAL_SIZE=2",
                                         "[0] OMPI_COMM_WORLD_NODE_RANK=0",  "[0] OMPI_COMM_WORLD_RANK=0",
                                         "[0] OMPI_COMM_WORLD_SIZE=2",       "[1] OMPI_COMM_WORLD_LOCAL_RANK=1",
                                         "[1] OMPI_COMM_WORLD_LOCAL_SIZE=2", "[1] OMPI_COMM_WORLD_NODE_RANK=1",
                                         "[1] OMPI_COMM_WORLD_RANK=1",       "[1] OMPI_COMM_WORLD_SIZE=2"};
  const std::vector<std::string> mpich{"[0] MPI_LOCALNRANKS=2", "[0] MPI_LOCALRANKID=0", "[0] PMI_RANK=0",
                                       "[0] PMI_SIZE=2",        "[1] MPI_LOCALNRANKS=2", "[1] MPI_LOCALRANKID=1",
                                       "[1] PMI_RANK=1",        "[1] PMI_SIZE=2"};
  std::vector<std::string> all = openmpi;
  all.insert(all.end(), mpich.begin(), mpich.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(names_of_ranks({}), all);
  EXPECT_EQ(names_of_ranks({"--rank-names", "openmpi"}), openmpi);
  EXPECT_EQ(names_of_ranks({"--rank-names", "mpich"}), mpich);
  EXPECT_THAT(names_of_ranks({"--rank-names", "no"}), IsEmpty());
}

TEST(Environment, OnlyWhatIsToPassOn) {
  const JobOptions options{"", {"A=1", "B=2", "COW_WAIT=yield"}, -1};
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"sh", "-c", "echo A$A B$B W$COW_WAIT P${HOME:+yes}"});
    return mpirun(arguments, options).out;
  };
  EXPECT_EQ(run({"-genvall"}), "A1 B2 Wyield Pyes\n");
  EXPECT_EQ(run({"-genvnone"}), "A B Wyield P\n");
  EXPECT_EQ(run({"-genvnone", "-x", "A", "-genv", "B", "3"}), "A1 B3 Wyield P\n");
  EXPECT_EQ(run({"-genvnone", "-x", "HO*"}), "A B Wyield Pyes\n");
  EXPECT_EQ(run({"-genvlist", "A,HOME"}), "A1 B Wyield Pyes\n");
  EXPECT_EQ(run({"-genvexcl", "A"}), "A B2 Wyield Pyes\n");
  EXPECT_EQ(run({"-envlist", "B"}), "A B2 Wyield P\n");
  EXPECT_EQ(run({"-genv", "A", "7", "-envnone"}), "A7 B Wyield P\n");
  const Finished two = mpirun({"-l", "-genvlist", "B", "-n", "1", "-envlist", "A", "sh", "-c", "echo $A-$B", ":", "-n",
                               "1", "sh", "-c", "echo $A-$B"},
                              options);
  EXPECT_THAT(two.out, AllOf(HasSubstr("[0] 1-\n"), HasSubstr("[1] -2\n")));
}

TEST(Environment, NoDescriptorLeaksIntoARank) {
  const Finished job =
      mpirun({"-n", "2", "sh", "-c", "echo $(ls /proc/self/fd | tr '\\n' ' ') key $COW_KEY_FD $COW_SHM_FD"});
  for (const std::string& line : lines(job.out)) {
    // 3 is ls's own.
    EXPECT_THAT(line, testing::MatchesRegex("0 1 100 101 2 3 key 100 101"));
  }
}

TEST(Environment, TheKeyIsInNoArgumentAndNoVariable) {
  JobRun job({MPIRUN, "-n", "2", CLIENT, "wait"});
  ASSERT_TRUE(job.wait_for("ready 1"));
  for (const LivingProcess& process : descendants()) {
    EXPECT_THAT(process.command, Not(HasSubstr("key"))) << process.command;
  }
}

TEST(Environment, AnOuterLauncherDoesNotShineThrough) {
  const Finished job = mpirun({"-n", "2", MPIRUN, "-n", "2", CLIENT, "exchange"});
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_EQ(lines(job.out).size(), 4u);
}

TEST(Environment, ALongTmpdirAndOneThatIsNotThereDoNotMatter) {
  for (const std::string& folder : {"/tmp/" + std::string(300, 'x'), std::string("/proc")}) {
    const Finished job = mpirun({"-n", "2", CLIENT, "exchange"}, {"", {"TMPDIR=" + folder}, -1});
    EXPECT_EQ(job.status, 0);
    EXPECT_EQ(job.err, "");
  }
}

TEST(Installation, CanBeMoved) {
  namespace fs = std::filesystem;
  const fs::path here = fs::path(MPIRUN).parent_path().parent_path();
  const fs::path there = fs::path(testing::TempDir()) / ("moved to." + std::to_string(getpid()));
  fs::create_directories(there / "bin");
  fs::create_directories(there / "libexec/cowmpi");
  fs::copy(here / "bin/mpirun", there / "bin/mpirun");
  fs::copy(here / "libexec/cowmpi/cow-agent", there / "libexec/cowmpi/cow-agent");
  fs::copy(here / "libexec/cowmpi/cow-pmix.so", there / "libexec/cowmpi/cow-pmix.so");
  JobRun job({there / "bin/mpirun", "-n", "2", CLIENT, "exchange"});
  job.finish(20);
  EXPECT_EQ(job.status, 0) << job.err;
  fs::remove_all(there);
}

}  // namespace
}  // namespace cow::test
