// Resident memory of each rank: of a rank that has only started (VmRSS after MPI_Init), and the most it ever was after
// it has spoken with every other one (VmHWM). `--limit MiB` makes the program fail when a rank needs more.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

// A line "VmRSS:   1234 kB" of /proc/self/status, in MiB.
double mebibytes_of(const char* name) {
  FILE* status = fopen("/proc/self/status", "r");
  if (!status) return 0;
  char line[256];
  double value = 0;
  const std::size_t length = strlen(name);
  while (fgets(line, sizeof line, status))
    if (strncmp(line, name, length) == 0 && line[length] == ':') value = atof(line + length + 1) / 1024;
  fclose(status);
  return value;
}

void speak_with_everybody(int ranks) {
  std::vector<int> out(static_cast<std::size_t>(ranks), 1), in(out.size());
  MPI_Alltoall(out.data(), 1, MPI_INT, in.data(), 1, MPI_INT, MPI_COMM_WORLD);
}

}  // namespace

int main(int argc, char** argv) {
  const double limit = argc == 3 && strcmp(argv[1], "--limit") == 0 ? atof(argv[2]) : 0;
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);

  double mine[2] = {mebibytes_of("VmRSS"), 0}, sum[2] = {}, most[2] = {};
  speak_with_everybody(ranks);
  mine[1] = mebibytes_of("VmHWM");
  MPI_Reduce(mine, sum, 2, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  MPI_Allreduce(mine, most, 2, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);

  const bool too_much = limit > 0 && most[1] > limit;
  if (rank == 0) {
    const char* provider = getenv("COW_PROVIDER");
    printf("# COW MPI Resident Memory Test, provider %s, %d ranks (MiB)\n", provider ? provider : "auto", ranks);
    printf("# After MPI_Init: Mean     Max   Peak: Mean     Max\n");
    printf("%22.1f%8.1f%13.1f%8.1f\n", sum[0] / ranks, most[0], sum[1] / ranks, most[1]);
    if (too_much) printf("a rank needed %.1f MiB; the limit is %.1f\n", most[1], limit);
  }
  MPI_Finalize();
  return too_much;
}
