// Processes that a rank forks: however they end, and whatever they do, the rank and its job go on.
#include <dirent.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include "support/ranks.hpp"

namespace {

// ---- What the rank does before and after

void exchange_bytes(std::size_t size) {
  const int me = ranks::rank(), n = ranks::count(), right = (me + 1) % n, left = (me + n - 1) % n;
  const auto out = ranks::pattern(static_cast<std::uint64_t>(me), size);
  std::vector<unsigned char> in(size);
  const int count = static_cast<int>(size);
  MPI_Request receive;
  EXPECT_MPI_OK(MPI_Irecv(in.data(), count, MPI_BYTE, left, 0, MPI_COMM_WORLD, &receive));
  EXPECT_MPI_OK(MPI_Send(out.data(), count, MPI_BYTE, right, 0, MPI_COMM_WORLD));
  EXPECT_MPI_OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
  EXPECT_EQ(-1, ranks::first_difference(in.data(), static_cast<std::uint64_t>(left), size));
}

void exchange() {
  for (const std::size_t size : {8u, 5'000u, 3'000'000u}) exchange_bytes(size);
  const int n = ranks::count();
  int sum = ranks::rank();
  EXPECT_MPI_OK(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  EXPECT_EQ(n * (n - 1) / 2, sum);
  std::vector<int> all(static_cast<std::size_t>(n));
  const int me = ranks::rank();
  EXPECT_MPI_OK(MPI_Allgather(&me, 1, MPI_INT, all.data(), 1, MPI_INT, MPI_COMM_WORLD));
  for (int i = 0; i < n; ++i) EXPECT_EQ(i, all[static_cast<std::size_t>(i)]);
}

// ---- Children

pid_t start(const std::function<void()>& body) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(99);
  }
  return child;
}

int end_of(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

// Its end, and what it wrote to standard error.
int run(const std::function<void()>& body, std::string& text) {
  int ends[2];
  EXPECT_EQ(0, pipe(ends));
  const pid_t child = start([&] {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    body();
  });
  close(ends[1]);
  char buffer[1000];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  return end_of(child);
}

void die_of(int number) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(number, SIG_DFL);
  raise(number);
}

// ---- What parent and child have in common in the kernel: what descriptors lead to, and what is in the sets of epoll.

std::string lines_of_epoll(const std::string& descriptor) {
  std::ifstream file("/proc/self/fdinfo/" + descriptor);
  std::string out;
  for (std::string line; std::getline(file, line);)
    if (line.rfind("tfd:", 0) == 0) out += line + "\n";
  return out;
}

std::map<std::string, std::string> descriptors() {
  std::map<std::string, std::string> out;
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    char target[300];
    const ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof target);
    if (size <= 0 || atoi(entry->d_name) == dirfd(folder)) continue;
    out[entry->d_name] = std::string(target, static_cast<std::size_t>(size)) + "\n" + lines_of_epoll(entry->d_name);
  }
  closedir(folder);
  return out;
}

struct End {
  const char* name;
  int status;
  void (*end)();
};
const End ends[] = {
    {"exit", 0, [] { exit(0); }},
    {"exit_after_failed_exec", 127 << 8, [] { execl("/no/such/program", "program", nullptr), exit(127); }},
    {"_exit", 3 << 8, [] { _exit(3); }},
    {"quick_exit", 4 << 8, [] { quick_exit(4); }},
    {"exit_of_a_grandchild", 0, [] { exit(end_of(start([] { exit(0); }))); }},
    {"exec", 0, [] { execl("/bin/true", "true", nullptr); }},
    {"abort", SIGABRT, [] { die_of(SIGABRT); }},
    {"kill", SIGKILL, [] { die_of(SIGKILL); }},
    {"crash", SIGSEGV, [] { die_of(SIGSEGV); }},
};

class Ends : public testing::TestWithParam<End> {};

TEST_P(Ends, TheRankGoesOn) {
  exchange();
  const auto before = descriptors();
  EXPECT_EQ(GetParam().status, end_of(start(GetParam().end)));
  EXPECT_EQ(before, descriptors());
  exchange();
}

INSTANTIATE_TEST_SUITE_P(Children, Ends, testing::ValuesIn(ends), [](const auto& info) { return info.param.name; });

TEST(Children, AreStartedInOtherWays) {
  exchange();
  EXPECT_EQ(5 << 8, system("exit 5"));
  FILE* pipe = popen("exit 6", "r");
  ASSERT_NE(nullptr, pipe);
  EXPECT_EQ(6 << 8, pclose(pipe));
  pid_t child;
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  ASSERT_EQ(0, posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments, environ));
  EXPECT_EQ(0, end_of(child));
  exchange();
}

// It holds copies of all descriptors.
TEST(Children, LiveWhileTheRankGoesOn) {
  exchange();
  const pid_t child = start([] {
    for (;;) pause();
  });
  for (int i = 0; i < 5; ++i) exchange();
  kill(child, SIGKILL);
  EXPECT_EQ(SIGKILL, end_of(child));
  exchange();
}

// ---- Children that take themselves for ranks

class ReturnErrors {
 public:
  ReturnErrors() { set(MPI_ERRORS_RETURN); }
  ~ReturnErrors() { set(MPI_ERRORS_ARE_FATAL); }

 private:
  static void set(MPI_Errhandler handler) {
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, handler);
  }
};

bool is_refused(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length;
  MPI_Error_string(code, text, &length);
  const bool out = ranks::error_class(code) == MPI_ERR_OTHER && strstr(text, "which the program forked from this rank");
  if (!out) fprintf(stderr, "not refused: %s\n", text);
  return out;
}

int send_number() {
  const int number = 7;
  return MPI_Send(&number, 1, MPI_INT, (ranks::rank() + 1) % ranks::count(), 0, MPI_COMM_WORLD);
}

bool all_are_refused(int me, int n) {
  int number = 7, flag = 0, level;
  const int right = (me + 1) % n;
  MPI_Request request;
  MPI_Session session;
  bool out = is_refused(MPI_Send(&number, 1, MPI_INT, right, 0, MPI_COMM_WORLD));
  out &= is_refused(MPI_Isend(&number, 1, MPI_INT, right, 0, MPI_COMM_WORLD, &request));
  out &= is_refused(MPI_Recv(&number, 1, MPI_INT, right, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
  out &= is_refused(MPI_Iprobe(right, 0, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE));
  out &= is_refused(MPI_Barrier(MPI_COMM_WORLD));
  out &= is_refused(MPI_Comm_rank(MPI_COMM_WORLD, &number));
  out &= is_refused(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SINGLE, &level));
  out &= is_refused(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_RETURN, &session));
  out &= is_refused(MPI_Finalize());
  return out;
}

// Destructors that end MPI ask first whether that has been done.
bool over() {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized && finalized && MPI_Wtime() > 0;
}

TEST(Children, AreRefused) {
  if (ranks::foreign()) GTEST_SKIP();
  exchange();
  const ReturnErrors returning;
  const int me = ranks::rank(), n = ranks::count();
  std::string text;
  EXPECT_EQ(0, run([&] { exit(all_are_refused(me, n) && over() ? 0 : 1); }, text));
  EXPECT_EQ("", text);
  exchange();
}

TEST(Children, EndAloneWhenAnErrorIsFatal) {
  if (ranks::foreign()) GTEST_SKIP();
  exchange();
  std::string text;
  const int status = run([] { send_number(); }, text);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 99) << status;
  EXPECT_NE(std::string::npos, text.find("which the program forked from this rank")) << text;
  exchange();
}

TEST(Children, EndAloneWhenTheyAbort) {
  if (ranks::foreign()) GTEST_SKIP();
  exchange();
  std::string text;
  EXPECT_EQ(5 << 8, run([] { MPI_Abort(MPI_COMM_WORLD, 5); }, text));
  EXPECT_EQ("[child of rank " + std::to_string(ranks::rank()) + "] MPI_Abort: error code 5; the job goes on\n", text);
  exchange();
}

// The last test. What is left behind in a session of its own keeps nobody: the job ends, and it with the job. It is forked
// while a message is on its way, so that it has whatever belongs to that.
TEST(LeftBehind, DoesNotHoldTheJob) {
  if (ranks::foreign()) GTEST_SKIP();
  const int me = ranks::rank(), n = ranks::count();
  std::vector<unsigned char> out(3'000'000), in(out.size());
  const int count = static_cast<int>(out.size());
  MPI_Request request;
  EXPECT_MPI_OK(MPI_Isend(out.data(), count, MPI_BYTE, (me + 1) % n, 0, MPI_COMM_WORLD, &request));
  MPI_Barrier(MPI_COMM_WORLD);
  start([] {
    setsid();
    sleep(600);
  });
  MPI_Barrier(MPI_COMM_WORLD);
  EXPECT_MPI_OK(MPI_Recv(in.data(), count, MPI_BYTE, (me + n - 1) % n, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
  EXPECT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  exchange();
}

}  // namespace
