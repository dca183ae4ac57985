/* The integral of 4/(1+x^2) from 0 to 1, cut over the ranks. After the oldest of MPI's examples. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
  const double exact = 3.141592653589793238462643;
  int rank, size, length, n = 1000000;
  char host[MPI_MAX_PROCESSOR_NAME];

  MPI_Init(&argc, &argv);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Get_processor_name(host, &length);
  printf("Process %d of %d is on %s\n", rank, size, host);
  fflush(stdout);

  MPI_Bcast(&n, 1, MPI_INT, 0, MPI_COMM_WORLD);
  double h = 1.0 / n, sum = 0.0, mine, pi;
  for (int i = rank; i < n; i += size) {
    double x = h * (i + 0.5);
    sum += 4.0 / (1.0 + x * x);
  }
  mine = h * sum;
  MPI_Reduce(&mine, &pi, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) printf("pi is approximately %.12f, error %.0e\n", pi, fabs(pi - exact));
  MPI_Finalize();
  return rank == 0 && fabs(pi - exact) > 1e-10;
}
