// The process around the ranks: clocks, names, versions, and children of a rank.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "support/ranks.hpp"

namespace {

TEST(Environment, StartedAndNotFinished) {
  int flag = 0;
  EXPECT_MPI_OK(MPI_Initialized(&flag));
  EXPECT_TRUE(flag);
  EXPECT_MPI_OK(MPI_Finalized(&flag));
  EXPECT_FALSE(flag);
}

TEST(Environment, ClockGoesOn) {
  const double start = MPI_Wtime();
  usleep(20'000);
  const double passed = MPI_Wtime() - start;
  EXPECT_GE(passed, 0.019);
  EXPECT_LT(passed, 5);
  EXPECT_GT(MPI_Wtick(), 0);
  EXPECT_LT(MPI_Wtick(), 1e-3);
}

TEST(Environment, NamesAndVersions) {
  char text[MPI_MAX_LIBRARY_VERSION_STRING > MPI_MAX_PROCESSOR_NAME ? MPI_MAX_LIBRARY_VERSION_STRING
                                                                    : MPI_MAX_PROCESSOR_NAME];
  int length = 0, version = 0, subversion = -1;
  EXPECT_MPI_OK(MPI_Get_processor_name(text, &length));
  EXPECT_EQ(static_cast<int>(strlen(text)), length);
  EXPECT_GT(length, 0);
  EXPECT_MPI_OK(MPI_Get_library_version(text, &length));
  EXPECT_EQ(static_cast<int>(strlen(text)), length);
  EXPECT_MPI_OK(MPI_Get_version(&version, &subversion));
  EXPECT_EQ(version, MPI_VERSION);
  EXPECT_EQ(subversion, MPI_SUBVERSION);
}

// Descriptors of the library close on exec: the child of a rank has none of its sockets and memory files. (Pipes and
// files may come from whoever started the test.)
TEST(Environment, SystemAndItsDescriptors) {
  int token = ranks::rank();
  MPI_Allreduce(MPI_IN_PLACE, &token, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);  // connections are open now
  FILE* list = popen("ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> /\\1 /p'", "r");
  ASSERT_NE(list, nullptr);
  int descriptor = -1, listed = 0;
  char target[300];
  while (fscanf(list, "%d %299[^\n]", &descriptor, target) == 2) {
    ++listed;
    const bool ours = strncmp(target, "socket:", 7) == 0 || strncmp(target, "anon_inode:", 11) == 0 ||
                      strncmp(target, "/memfd:", 7) == 0;
    if (descriptor > 2 && !ranks::foreign()) {
      EXPECT_FALSE(ours) << "a child inherits descriptor " << descriptor << ", " << target;
    }
  }
  EXPECT_EQ(pclose(list), 0);
  EXPECT_GE(listed, 3);
  EXPECT_EQ(system("exit 3"), 3 << 8);
}

// A forked child that leaves with _exit disturbs nothing; the parent goes on talking.
TEST(Environment, ForkedChild) {
  const int me = ranks::rank(), n = ranks::count();
  std::vector<unsigned char> out = ranks::pattern(static_cast<std::uint64_t>(me), 300'000), in(out.size());
  MPI_Request requests[2];
  MPI_Irecv(in.data(), 300'000, MPI_BYTE, (me + n - 1) % n, 1, MPI_COMM_WORLD, &requests[0]);
  MPI_Isend(out.data(), 300'000, MPI_BYTE, (me + 1) % n, 1, MPI_COMM_WORLD, &requests[1]);
  const pid_t child = fork();
  if (child == 0) _exit(5);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 5);
  ASSERT_MPI_OK(MPI_Waitall(2, requests, MPI_STATUSES_IGNORE));
  EXPECT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>((me + n - 1) % n), in.size()), -1);
  int sum = 0;
  ASSERT_MPI_OK(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  EXPECT_EQ(sum, n * (n - 1) / 2);
}

TEST(Environment, AllocatedMemory) {
  void* memory = nullptr;
  ASSERT_MPI_OK(MPI_Alloc_mem(100'000, MPI_INFO_NULL, &memory));
  memset(memory, 1, 100'000);
  EXPECT_MPI_OK(MPI_Free_mem(memory));
}

}  // namespace
