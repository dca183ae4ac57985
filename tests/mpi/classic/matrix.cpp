// Matrix multiplication with a master that hands out rows to whoever is free, by messages from any source.
#include <mpi.h>

#include <cstdio>
#include <vector>

namespace {

constexpr int n = 96, work = 1, stop = 2;

int a(int i, int j) { return i + 2 * j; }
int b(int i, int j) { return i == j ? 3 : (i + j) % 5; }

long expected(int i, int j) {
  long sum = 0;
  for (int k = 0; k < n; ++k) sum += static_cast<long>(a(i, k)) * b(k, j);
  return sum;
}

int master(int size) {
  std::vector<long> row(n + 1);
  std::vector<std::vector<long>> product(n);
  int next = 0, busy = 0;
  const auto feed = [&](int worker) {
    MPI_Send(&next, 1, MPI_INT, worker, next < n ? work : stop, MPI_COMM_WORLD);
    if (next < n) ++next, ++busy;
  };
  for (int worker = 1; worker < size; ++worker) feed(worker);
  while (busy > 0) {
    MPI_Status status;
    MPI_Recv(row.data(), n + 1, MPI_LONG, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    product[static_cast<std::size_t>(row[n])].assign(row.begin(), row.end() - 1);
    --busy;
    feed(status.MPI_SOURCE);
  }
  int wrong = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      if (product[i].empty() || product[i][j] != expected(i, j)) ++wrong;
  printf("%d x %d product by %d workers: %s\n", n, n, size - 1, wrong ? "WRONG" : "right");
  return wrong ? 1 : 0;
}

void worker() {
  std::vector<int> matrix(n * n);
  MPI_Bcast(matrix.data(), n * n, MPI_INT, 0, MPI_COMM_WORLD);
  std::vector<long> row(n + 1);
  for (;;) {
    int i = 0;
    MPI_Status status;
    MPI_Recv(&i, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == stop) return;
    for (int j = 0; j < n; ++j) {
      row[j] = 0;
      for (int k = 0; k < n; ++k) row[j] += static_cast<long>(a(i, k)) * matrix[k * n + j];
    }
    row[n] = i;
    MPI_Send(row.data(), n + 1, MPI_LONG, 0, work, MPI_COMM_WORLD);
  }
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, size, status = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size < 2) {
    printf("needs a worker: start it on two ranks or more\n");
  } else if (rank == 0) {
    std::vector<int> matrix(n * n);
    for (int i = 0; i < n * n; ++i) matrix[i] = b(i / n, i % n);
    MPI_Bcast(matrix.data(), n * n, MPI_INT, 0, MPI_COMM_WORLD);
    status = master(size);
  } else {
    worker();
  }
  MPI_Finalize();
  return status;
}
