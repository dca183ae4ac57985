#include "launcher/rm/allocation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Allocation read(std::map<std::string, std::string> variables) {
  return read_allocation([&](const char* name) { return variables[name]; });
}

std::vector<std::string> names(const char* text) {
  std::vector<std::string> out;
  EXPECT_TRUE(expand_names(text, out)) << text;
  return out;
}

TEST(Names, AreExpandedAsSlurmWritesThem) {
  EXPECT_THAT(names("a"), ElementsAre("a"));
  EXPECT_THAT(names("a,b.c,d"), ElementsAre("a", "b.c", "d"));
  EXPECT_THAT(names("n[1-3,7],m"), ElementsAre("n1", "n2", "n3", "n7", "m"));
  EXPECT_THAT(names("n[08-11]x"), ElementsAre("n08x", "n09x", "n10x", "n11x"));
  EXPECT_THAT(names("r[1-2]n[1-2]"), ElementsAre("r1n1", "r1n2", "r2n1", "r2n2"));
}

TEST(Names, ThatMakeNoSenseAreRefused) {
  for (const char* text :
       {"", ",", "n[", "n[]", "n[3-1]", "n[a]", "n1]", "-x", "n[1-3", "n[1-99999999]n[1-99999999]"}) {
    std::vector<std::string> out;
    EXPECT_FALSE(expand_names(text, out)) << text;
  }
}

TEST(Counts, AreExpandedAsSlurmWritesThem) {
  std::vector<int> out;
  EXPECT_TRUE(expand_counts("2(x3),1", out));
  EXPECT_THAT(out, ElementsAre(2, 2, 2, 1));
  for (const char* text : {"", "x", "2(", "2(x", "2(x)", "2(x3", "-1", "1,,2"})
    EXPECT_FALSE(expand_counts(text, out)) << text;
}

TEST(Allocation, OfSlurm) {
  const Allocation out = read({{"SLURM_JOB_ID", "7"},
                               {"SLURM_JOB_NODELIST", "n[1-2]"},
                               {"SLURM_TASKS_PER_NODE", "4,2"},
                               {"SLURM_JOB_CPUS_PER_NODE", "8,4"}});
  EXPECT_EQ(out.error, "");
  EXPECT_TRUE(out.slurm);
  EXPECT_THAT(out.hosts, ElementsAre(Host{"n1", 4}, Host{"n2", 2}));
  EXPECT_EQ(out.cpus, 4u);
  EXPECT_THAT(read({{"SLURM_JOB_ID", "7"}, {"SLURM_JOB_NODELIST", "n[1-2]"}, {"SLURM_TASKS_PER_NODE", "4"}}).error,
              HasSubstr("SLURM_TASKS_PER_NODE=4"));
  EXPECT_NE(read({{"SLURM_JOB_ID", "7"}, {"SLURM_JOB_NODELIST", "n["}}).error, "");
}

TEST(Allocation, OfPbsAndLsf) {
  const std::string path = testing::TempDir() + "nodes." + std::to_string(getpid());
  std::ofstream(path) << "a\na\nb\n";
  EXPECT_THAT(read({{"PBS_NODEFILE", path}}).hosts, ElementsAre(Host{"a", 2}, Host{"b", 1}));
  std::ofstream(path) << "a\n\n-a\n";
  EXPECT_EQ(read({{"PBS_NODEFILE", path}}).error, "line 3: '-a' is no name of a host");
  std::ofstream(path) << "";
  EXPECT_EQ(read({{"PBS_NODEFILE", path}}).error, "line 1: the file is empty");
  unlink(path.c_str());
  EXPECT_EQ(read({{"PBS_NODEFILE", path}}).error, "cannot read it: No such file or directory");
  EXPECT_THAT(read({{"LSB_HOSTS", "x y x"}}).hosts, ElementsAre(Host{"x", 2}, Host{"y", 1}));
}

TEST(Allocation, NoneIsThereWithoutAManager) { EXPECT_TRUE(read({{"SLURM_NODELIST", "a"}}).hosts.empty()); }

}  // namespace
}  // namespace cow::launch
