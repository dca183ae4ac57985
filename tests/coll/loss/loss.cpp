// loss HOW COLLECTIVE: rank 1 is killed while the others are in a collective on the memory of the node.
//   job    the launcher sees it, and ends the job
//   alone  the launcher is held, so that the others must find out by themselves: they say what they were told, and the first
//          of them lets the launcher go on. Those on other nodes wait for what will never come
#include <mpi.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

int call(const char* which, MPI_Comm comm) {
  static std::vector<int> out(300'000, 1), in(300'000);
  const int count = strcmp(which, "long") == 0 ? 300'000 : 1;
  if (strcmp(which, "nonblocking") == 0) {
    MPI_Request request = MPI_REQUEST_NULL;
    const int code = MPI_Iallreduce(out.data(), in.data(), count, MPI_INT, MPI_SUM, comm, &request);
    return code ? code : MPI_Wait(&request, MPI_STATUS_IGNORE);
  }
  return strcmp(which, "barrier") == 0 ? MPI_Barrier(comm)
                                       : MPI_Allreduce(out.data(), in.data(), count, MPI_INT, MPI_SUM, comm);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  if (argc != 3) return 2;
  int rank = 0, here = 0;  // of the first ranks, how many share a node
  MPI_Comm comm, node;
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &here);
  const bool alone = strcmp(argv[1], "alone") == 0;
  for (int i = 0; i < 20; ++i) call(argv[2], comm);
  if (rank == 1) {
    if (alone) kill(getppid(), SIGSTOP);
    kill(getpid(), SIGKILL);
  }
  for (int again = 0; again < 2; ++again) {
    const int code = call(argv[2], comm);
    int kind = MPI_SUCCESS, length = 0;
    char text[MPI_MAX_ERROR_STRING] = "";
    MPI_Error_class(code, &kind);
    MPI_Error_string(code, text, &length);
    printf("rank %d: %s %s\n", rank, kind == MPI_ERR_PROC_ABORTED ? "aborted" : "other", text);
    fflush(stdout);
  }
  char token = 0;
  if (alone && rank != 0) MPI_Send(&token, 1, MPI_CHAR, 0, 0, MPI_COMM_WORLD);
  if (alone && rank == 0) {
    for (int r = 2; r < here; ++r) MPI_Recv(&token, 1, MPI_CHAR, r, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    kill(getppid(), SIGCONT);
  }
  for (;;) pause();
}
