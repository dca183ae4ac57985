// A gibibyte of output: whole, in order, by a launcher that stays small.
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace {

long most_memory(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/status";
  FILE* status = fopen(path.c_str(), "r");
  long kib = 0;
  for (char line[256]; status && fgets(line, sizeof line, status);) sscanf(line, "VmHWM: %ld", &kib);
  if (status) fclose(status);
  return kib;
}

pid_t child_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
  FILE* file = fopen(path.c_str(), "r");
  int child = -1;
  if (!file || fscanf(file, "%d", &child) != 1) child = -1;
  if (file) fclose(file);
  return child;
}

TEST(BigOutput, AGibibyteOfFourRanksArrivesWhole) {
  constexpr long lines = 2'950'000;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    execl(MPIRUN, MPIRUN, "-n", "4", "awk",
          "BEGIN { r = ENVIRON[\"PMIX_RANK\"]; f = sprintf(\"%080d\", 0); for (i = 0; i < 2950000; i++) printf(\"%d "
          "%08d %s\\n\", r, i, f) }",
          nullptr);
    _exit(127);
  }
  close(ends[1]);
  FILE* in = fdopen(ends[0], "r");
  long next[4] = {}, bytes = 0, mpirun = 0, agent = 0;
  char line[256];
  for (long count = 0; fgets(line, sizeof line, in); ++count) {
    const int rank = line[0] - '0';
    bytes += 92;
    ASSERT_TRUE(rank >= 0 && rank < 4 && line[91] == '\n' && line[92] == '\0') << line;
    ASSERT_EQ(atol(line + 2), next[rank]) << "rank " << rank;
    ++next[rank];
    if (count % 1'000'000 == 999'999) {
      mpirun = most_memory(pid);
      agent = most_memory(child_of(child_of(pid)));
    }
  }
  fclose(in);
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  for (const long count : next) EXPECT_EQ(count, lines);
  EXPECT_GT(bytes, 1L << 30);
  EXPECT_GT(mpirun, 0);
  EXPECT_GT(agent, 0);
  EXPECT_LT(mpirun, 64 * 1024);
  EXPECT_LT(agent, 64 * 1024);
}

}  // namespace
