// Sorts the lines of a file with all ranks and writes them as `LC_ALL=C sort` would:
//   mpirun -n 4 sample_sort [--by-messages] [input [output]]
// The input is /var/lib/dpkg/status when nothing is said; "-" is standard input, or standard output.
#include <cstdio>
#include <cstring>

#include "sample_sort/sort.hpp"

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int next = 1;
  const bool by_messages = argc > 1 && strcmp(argv[1], "--by-messages") == 0;
  if (by_messages) ++next;
  const char* input = argc > next ? argv[next] : "/var/lib/dpkg/status";
  const char* output = argc > next + 1 ? argv[next + 1] : "-";

  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  std::string text;
  if (rank == 0 && !sample_sort::read_file(input, text)) {
    fprintf(stderr, "sample_sort: cannot read %s\n", input);
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  const auto mine = sample_sort::scatter_lines(text, MPI_COMM_WORLD);
  const auto sorted = sample_sort::sort_lines(mine, MPI_COMM_WORLD);
  const auto all = sample_sort::gather_lines(sorted, by_messages, MPI_COMM_WORLD);
  if (rank == 0 && !sample_sort::write_file(output, all)) {
    fprintf(stderr, "sample_sort: cannot write %s\n", output);
    MPI_Abort(MPI_COMM_WORLD, 3);
  }
  MPI_Finalize();
}
