// Heat in a square plate, by Jacobi's iteration: rows cut over the ranks, borders exchanged with Sendrecv. The result is
// compared with the same iteration done by rank 0 alone.
#include <mpi.h>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

constexpr int width = 64, steps = 200;
using Rows = std::vector<double>;

double start(int row, int column) { return row == 0 ? 100.0 : column == 0 ? 50.0 : 0.0; }

void fill(Rows& rows, int first, int count) {
  for (int i = 0; i < count; ++i)
    for (int j = 0; j < width; ++j) rows[i * width + j] = start(first + i, j);
}

void relax(const Rows& old, Rows& next, int from, int to) {
  for (int i = from; i < to; ++i)
    for (int j = 1; j < width - 1; ++j)
      next[i * width + j] = 0.25 * (old[(i - 1) * width + j] + old[(i + 1) * width + j] + old[i * width + j - 1] +
                                    old[i * width + j + 1]);
}

Rows alone() {
  Rows a(width * width);
  fill(a, 0, width);
  Rows b = a;
  for (int step = 0; step < steps; ++step, a.swap(b)) relax(a, b, 1, width - 1);
  return a;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const int first = width * rank / size, count = width * (rank + 1) / size - first;
  const int above = rank == 0 ? MPI_PROC_NULL : rank - 1, below = rank == size - 1 ? MPI_PROC_NULL : rank + 1;

  Rows a((count + 2) * width);  // a row of each neighbour around our own
  fill(a, first - 1, count + 2);
  Rows b = a;
  for (int step = 0; step < steps; ++step) {
    MPI_Sendrecv(&a[width], width, MPI_DOUBLE, above, 0, &a[(count + 1) * width], width, MPI_DOUBLE, below, 0,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv(&a[count * width], width, MPI_DOUBLE, below, 1, &a[0], width, MPI_DOUBLE, above, 1, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    relax(a, b, rank == 0 ? 2 : 1, rank == size - 1 ? count : count + 1);
    a.swap(b);
  }

  std::vector<int> counts(size), places(size);
  for (int i = 0; i < size; ++i) {
    places[i] = width * i / size * width;
    counts[i] = width * (i + 1) / size * width - places[i];
  }
  Rows whole(rank == 0 ? width * width : 0);
  MPI_Gatherv(&a[width], count * width, MPI_DOUBLE, whole.data(), counts.data(), places.data(), MPI_DOUBLE, 0,
              MPI_COMM_WORLD);
  bool good = true;
  if (rank == 0) {
    good = whole == alone();
    printf("heat of the middle after %d steps on %d ranks: %.6f, %s\n", steps, size,
           whole[width / 2 * width + width / 2], good ? "as computed alone" : "WRONG");
  }
  MPI_Finalize();
  return good ? 0 : 1;
}
