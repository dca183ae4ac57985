// Output of ranks: whole lines, nothing lost. Input: whole, and only what rank 0 reads.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "job.hpp"

namespace cow::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(Output, SixtyFourMebibytesOfFourRanksArriveInWholeLinesAndInOrder) {
  // Each line: rank, number, filling up to a length that varies.
  const Finished job = mpirun({"-n", "4", "awk",
                               "BEGIN { r = ENVIRON[\"PMIX_RANK\"]; f = sprintf(\"%0200d\", 0); "
                               "for (i = 0; i < 110000; i++) print r, i, substr(f, 1, 90 + (i * 7 + r) % 110) }"});
  ASSERT_EQ(job.status, 0) << job.err;
  EXPECT_GT(job.out.size(), 60u << 20);
  std::map<int, int> next;
  std::string_view rest = job.out;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    ASSERT_NE(end, std::string_view::npos);
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    int rank = -1, number = -1;
    ASSERT_EQ(sscanf(line.c_str(), "%d %d", &rank, &number), 2) << line;
    ASSERT_EQ(next[rank]++, number);
    const std::size_t filling = line.rfind(' ') + 1;
    ASSERT_EQ(line.size() - filling, static_cast<std::size_t>(90 + (number * 7 + rank) % 110));
  }
  for (int rank = 0; rank < 4; ++rank) EXPECT_EQ(next[rank], 110000);
}

TEST(Output, IsCompleteWhenTheRankDiesAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const Finished job = mpirun({"-n", "2", "sh", "-c", "seq 1 2000; kill -9 $$"});
    EXPECT_EQ(job.status, 137);
    EXPECT_THAT(job.out, HasSubstr("\n2000\n"));
  }
}

TEST(Output, ErrorGoesToError) {
  const Finished job = mpirun({"-n", "2", "sh", "-c", "echo out; echo err >&2"});
  EXPECT_EQ(job.out, "out\nout\n");
  EXPECT_EQ(job.err, "err\nerr\n");
}

TEST(Output, WithoutANewlineAtTheEndArrivesUnchanged) {
  EXPECT_EQ(mpirun({"-n", "1", "printf", "no newline"}).out, "no newline");
}

TEST(Output, ALineLongerThanAnyBufferIsNotTorn) {
  const Finished job = mpirun({"-n", "2", "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' $PMIX_RANK; echo"});
  ASSERT_EQ(job.status, 0);
  const auto all = lines(job.out);
  ASSERT_EQ(all.size(), 2u);
  for (const std::string& line : all) {
    EXPECT_EQ(line.size(), 3000000u);
    EXPECT_EQ(line.find_first_not_of(line[0]), std::string::npos);
  }
}

TEST(Output, IsBinarySafe) {
  const Finished job = mpirun({"-n", "1", "head", "-c", "1000000", "/dev/zero"});
  EXPECT_EQ(job.out, std::string(1000000, '\0'));
}

TEST(Output, CanBeTaggedWithTheRank) {
  const Finished job = mpirun({"-l", "-n", "2", "sh", "-c", "echo one; echo two"});
  auto all = lines(job.out);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (std::vector<std::string>{"[0] one", "[0] two", "[1] one", "[1] two"}));
}

// The reader takes nothing for a while: the ranks are held back and the launcher's memory stays small.
TEST(Output, ASlowReaderHoldsTheRanksBack) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    execl(MPIRUN, MPIRUN, "-n", "4", "sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' '\\n'", nullptr);
    _exit(127);
  }
  close(ends[1]);
  usleep(700'000);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE* status = fopen(path, "r");
  ASSERT_NE(status, nullptr);
  long kib = 0;
  for (char line[256]; fgets(line, sizeof line, status);) sscanf(line, "VmHWM: %ld", &kib);
  fclose(status);
#ifdef __SANITIZE_ADDRESS__
  EXPECT_LT(kib, 256 * 1024);  // what was freed is kept for a while
#else
  EXPECT_LT(kib, 32 * 1024);
#endif
  std::size_t got = 0;
  std::string buffer(1 << 16, '\0');
  for (ssize_t size; (size = read(ends[0], buffer.data(), buffer.size())) > 0;) got += static_cast<std::size_t>(size);
  close(ends[0]);
  int wait_status;
  waitpid(pid, &wait_status, 0);
  EXPECT_EQ(wait_status, 0);
  EXPECT_EQ(got, 80'000'000u);
}

TEST(Output, AReaderThatGoesAwayEndsTheJob) {
  const Finished job = mpirun({"-n", "1", "sh", "-c", "echo | true"});
  EXPECT_EQ(job.status, 0);
  JobRun piped({"/bin/bash", "-c", "set -o pipefail; " MPIRUN " -n 2 yes | head -n 1"});
  piped.finish(10);
  EXPECT_EQ(piped.status, 128 + SIGPIPE);
  EXPECT_EQ(piped.out, "y\n");
  EXPECT_THAT(piped.left, IsEmpty());
}

std::string random_text(std::size_t size) {
  std::mt19937_64 random(3);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

TEST(Input, ArrivesWholeAtRankZeroAndNowhereElse) {
  const std::string text = random_text(8 << 20);
  const Finished job =
      mpirun({"-n", "3", "sh", "-c", "if [ $PMIX_RANK = 0 ]; then cat; else wc -c >&2; fi"}, {text, {}, -1});
  EXPECT_EQ(job.status, 0);
  EXPECT_TRUE(job.out == text);
  EXPECT_EQ(job.err, "0\n0\n");
}

TEST(Input, GoesToTheRankThatIsNamed) {
  const std::string text = random_text(3 << 20);
  const std::vector<std::string> reader{"sh", "-c", "if [ $PMIX_RANK = 2 ]; then cat; else wc -c >&2; fi"};
  std::vector<std::string> words{"-n", "3", "--stdin", "2"};
  words.insert(words.end(), reader.begin(), reader.end());
  const Finished job = mpirun(words, {text, {}, -1});
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_TRUE(job.out == text);
  EXPECT_EQ(job.err, "0\n0\n");
  EXPECT_EQ(mpirun({"-n", "2", "--stdin", "2", "true"}).status, 125);
  EXPECT_EQ(mpirun({"-n", "2", "--stdin", "x", "true"}).status, 2);
}

// A file never lets anybody wait; mpirun reads it, since the reader is not the first rank, or not alone.
TEST(Input, OfAFileGoesToWhomItIsFor) {
  const std::string path = testing::TempDir() + "input." + std::to_string(getpid());
  std::ofstream(path) << std::string(300'000, 'x');
  for (const std::string to : {"1", "all"}) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const Finished job = mpirun({"-n", "2", "--stdin", to, "wc", "-c"}, {{}, {}, fd});
    EXPECT_EQ(job.status, 0) << job.err;
    std::vector<std::string> counts = lines(job.out);
    std::sort(counts.begin(), counts.end());
    EXPECT_EQ(counts, (std::vector<std::string>{to == "all" ? "300000" : "0", "300000"}));
    close(fd);
  }
  std::filesystem::remove(path);
}

TEST(Input, GoesToAllOrToNobody) {
  const std::string text = random_text(2 << 20);
  // One of the readers is slow, and another one stops reading.
  const Finished all = mpirun({"-n", "4", "--stdin", "all", "sh", "-c",
                               "case $PMIX_RANK in 1) sleep 0.3; wc -c;; 2) head -c 10 >/dev/null;; *) wc -c;; esac"},
                              {text, {}, -1});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_EQ(all.out, "2097152\n2097152\n2097152\n");
  EXPECT_EQ(mpirun({"-n", "2", "--stdin", "none", "wc", "-c"}, {text, {}, -1}).out, "0\n0\n");
}

TEST(OutputFiles, AreTwoForEachRank) {
  const std::string folder = testing::TempDir() + "outputs." + std::to_string(getpid());
  const Finished job = mpirun(
      {"--output-filename", folder + "/run", "-n", "2", "sh", "-c", "echo out $PMIX_RANK; echo err $PMIX_RANK >&2"});
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_EQ(job.out + job.err, "");
  for (const std::string rank : {"0", "1"}) {
    for (const std::string stream : {"out", "err"}) {
      std::ifstream file(folder + "/run." + rank + "." + stream);
      EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), stream + " " + rank + "\n");
    }
  }
  std::filesystem::remove_all(folder);
}

TEST(OutputFiles, OnAFullDiskEndTheJobWithTheCause) {
  const std::string folder = testing::TempDir() + "full." + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  ASSERT_EQ(symlink("/dev/full", (folder + "/run.1.out").c_str()), 0);
  const Finished job =
      mpirun({"--output-filename", folder + "/run", "-n", "2", "sh", "-c", "while echo x; do :; done"});
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.err, testing::AllOf(HasSubstr("/run.1.out"), HasSubstr("No space left")));
  EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
  EXPECT_THAT(job.left, IsEmpty());
  std::filesystem::remove_all(folder);
  EXPECT_EQ(mpirun({"--output-filename", "/proc/no/such", "true"}).status, 125);
}

TEST(Output, CanBeginWithTheTime) {
  const Finished job = mpirun({"--timestamp-output", "-l", "echo", "x"});
  EXPECT_THAT(job.out, testing::MatchesRegex("20[0-9-]+ [0-9:]+\\.[0-9]+ \\[0\\] x\n"));
}

// A shell's own idiom: the loop's input is the job's as well.
TEST(Input, IsNotTouchedWhenNoRankReadsIt) {
  JobRun loop({"/bin/sh", "-c", "while read line; do echo \"$line\"; " MPIRUN " -n 2 true; done"},
              {"a\nb\nc\n", {}, -1});
  loop.finish(20);
  EXPECT_EQ(loop.out, "a\nb\nc\n");
  JobRun reads({"/bin/sh", "-c", MPIRUN " -n 2 sh -c 'head -c 2; :'; cat"}, {"1\n2\n", {}, -1});
  reads.finish(20);
  EXPECT_EQ(reads.out, "1\n2\n");
}

TEST(Input, ThatIsClosedIsEmpty) {
  JobRun job({"/bin/sh", "-c", MPIRUN " -n 2 wc -c <&-"});
  job.finish(10);
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_EQ(job.out, "0\n0\n");
}

TEST(Debugger, WorksUnderMpirun) {
  if (access("/usr/bin/gdb", X_OK) != 0) GTEST_SKIP() << "there is no gdb";
  const Finished job = mpirun({"-n", "2", "gdb", "-q", "-nx", "-batch", "-ex", "set startup-with-shell off", "-ex",
                               "run", "--args", CLIENT, "exchange"});
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_THAT(job.out, HasSubstr("rank 0 of 2"));
  EXPECT_THAT(job.out, HasSubstr("rank 1 of 2"));
}

}  // namespace
}  // namespace cow::test
