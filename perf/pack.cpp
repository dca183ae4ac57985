// Packing and unpacking of non-contiguous data by MPI_Pack and MPI_Unpack, beside loops that a programmer would write,
// compiled with -O3. 4 MiB of doubles in blocks of 8 bytes to 4 KiB; each line gives time / time of the loop, so that
// numbers below 1 mean that MPI is faster. Runs on one rank.
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <vector>

namespace {

constexpr int total_doubles = 4 << 20 >> 3;
constexpr int rounds = 15;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// What is measured: a type, and the same copy by hand. `array` holds the data with gaps, `dense` without.
struct Shape {
  const char* name;
  int block;  // doubles
  MPI_Datatype type = MPI_DATATYPE_NULL;
  std::size_t array_doubles = 0;
  int blocks = 0;
  int stride = 0;           // vector: doubles from one block to the next
  std::vector<int> places;  // indexed: in doubles
  int rows = 0;             // subarray: of each plane

  Shape(const char* shape_name, int block_doubles) : name(shape_name), block(block_doubles) {
    blocks = total_doubles / block;
  }
};

Shape vector_of(int block) {
  Shape shape("vector", block);
  shape.stride = 2 * block;
  MPI_Type_vector(shape.blocks, block, shape.stride, MPI_DOUBLE, &shape.type);
  shape.array_doubles = std::size_t{2} * total_doubles;
  return shape;
}

Shape indexed_of(int block) {
  Shape shape("indexed", block);
  std::vector<int> lengths(shape.blocks, block);
  for (int i = 0, place = 0; i < shape.blocks; ++i, place += block + rand() % (2 * block))
    shape.places.push_back(place);
  MPI_Type_indexed(shape.blocks, lengths.data(), shape.places.data(), MPI_DOUBLE, &shape.type);
  shape.array_doubles = std::size_t(shape.places.back()) + block;
  return shape;
}

Shape subarray_of(int block) {
  Shape shape("subarray", block);
  shape.rows = std::min(16, shape.blocks);
  const int sizes[] = {shape.blocks / shape.rows, shape.rows + 2, 2 * block};
  const int subsizes[] = {sizes[0], shape.rows, block}, starts[] = {0, 1, block / 2};
  MPI_Type_create_subarray(3, sizes, subsizes, starts, MPI_ORDER_C, MPI_DOUBLE, &shape.type);
  shape.array_doubles = std::size_t(sizes[0]) * sizes[1] * sizes[2];
  return shape;
}

// The loops, as they would be written for this block length: one of a single double needs no inner loop. `Copy` goes from the array to dense memory or back.
template <class Block, class Copy>
void by_hand(const Shape& shape, Block block, double* array, double* dense, Copy copy) {
  const int blocks = shape.blocks;
  std::size_t k = 0;
  if (shape.name[0] == 'v') {
    for (int i = 0; i < blocks; ++i)
      for (int j = 0; j < block; ++j) copy(array[std::size_t(i) * shape.stride + j], dense[k++]);
  } else if (shape.name[0] == 'i') {
    const int* places = shape.places.data();
    for (int i = 0; i < blocks; ++i)
      for (int j = 0; j < block; ++j) copy(array[places[i] + j], dense[k++]);
  } else {
    const int rows = shape.rows, width = 2 * block, planes = blocks / rows, start = block / 2;
    for (int x = 0; x < planes; ++x)
      for (int y = 0; y < rows; ++y)
        for (int z = 0; z < block; ++z)
          copy(array[(std::size_t(x) * (rows + 2) + y + 1) * width + start + z], dense[k++]);
  }
}

template <class Copy>
void by_hand(const Shape& shape, double* array, double* dense, Copy copy) {
  if (shape.block == 1)
    by_hand(shape, std::integral_constant<int, 1>{}, array, dense, copy);
  else
    by_hand(shape, shape.block, array, dense, copy);
}

[[gnu::noinline]] void pack_by_hand(const Shape& shape, const double* array, double* dense) {
  by_hand(shape, const_cast<double*>(array), dense, [](const double& from, double& to) { to = from; });
}

[[gnu::noinline]] void unpack_by_hand(const Shape& shape, double* array, const double* dense) {
  by_hand(shape, array, const_cast<double*>(dense), [](double& to, const double& from) { to = from; });
}

void pack_by_mpi(const Shape& shape, const double* array, double* dense) {
  int position = 0;
  MPI_Pack(array, 1, shape.type, dense, total_doubles * 8, &position, MPI_COMM_SELF);
}

void unpack_by_mpi(const Shape& shape, double* array, const double* dense) {
  int position = 0;
  MPI_Unpack(dense, total_doubles * 8, &position, array, 1, shape.type, MPI_COMM_SELF);
}

// Shortest times of two ways that take turns, so that both meet the same weather.
template <class First, class Second>
double ratio(First first, Second second) {
  double shortest[2] = {1e9, 1e9};
  for (int round = 0; round < rounds; ++round) {
    double start = seconds();
    first();
    shortest[0] = std::min(shortest[0], seconds() - start);
    start = seconds();
    second();
    shortest[1] = std::min(shortest[1], seconds() - start);
  }
  return shortest[0] / shortest[1];
}

void measure(Shape shape) {
  MPI_Type_commit(&shape.type);
  // Both ways use the same memory: how it lies in pages and caches differs by more than what is measured.
  std::vector<double> array(shape.array_doubles), dense(total_doubles), expected(total_doubles);
  for (std::size_t i = 0; i < array.size(); ++i) array[i] = static_cast<double>(i);
  pack_by_hand(shape, array.data(), expected.data());
  const double packing = ratio([&] { pack_by_hand(shape, array.data(), dense.data()); },
                               [&] { pack_by_mpi(shape, array.data(), dense.data()); });
  if (dense != expected) {
    fprintf(stderr, "pack: %s of %d bytes gave wrong data\n", shape.name, shape.block * 8);
    MPI_Abort(MPI_COMM_SELF, 1);
  }
  const double unpacking = ratio([&] { unpack_by_mpi(shape, array.data(), dense.data()); },
                                 [&] { unpack_by_hand(shape, array.data(), dense.data()); });
  printf("%-10s %12d %12.2f %12.2f\n", shape.name, shape.block * 8, 1 / packing, unpacking);
  MPI_Type_free(&shape.type);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) {
    printf("# MPI_Pack and MPI_Unpack of 4 MiB, time relative to a loop by hand\n%-10s %12s %12s %12s\n", "# Shape",
           "Block (B)", "Pack", "Unpack");
    for (const auto& shape_of : {vector_of, indexed_of, subarray_of})
      for (int block = 1; block <= 512; block *= block == 1 ? 2 : 4) measure(shape_of(block));
  }
  MPI_Finalize();
}
