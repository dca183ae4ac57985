/* A program of the time of MPI 1, as its authors left it: compiled with COW_MPI1_NAMES. Also compiled as C++. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPECT(what)                                             \
  do {                                                           \
    if (!(what)) {                                               \
      fprintf(stderr, "line %d: not so: " #what "\n", __LINE__); \
      exit(1);                                                   \
    }                                                            \
  } while (0)

typedef struct {
  double place[3];
  int kind;
  char tag;
} Particle;

static int handled = 0;

static void count_errors(MPI_Comm* comm, int* code, ...) {
  (void)comm;
  (void)code;
  ++handled;
}

static void expect_bounds(MPI_Datatype type, MPI_Aint lb, MPI_Aint ub) {
  MPI_Aint found_lb, found_ub, extent;
  MPI_Type_lb(type, &found_lb);
  MPI_Type_ub(type, &found_ub);
  MPI_Type_extent(type, &extent);
  EXPECT(found_lb == lb && found_ub == ub && extent == ub - lb);
}

static MPI_Datatype particle_type(void) {
  Particle some[2];
  int lengths[4] = {3, 1, 1, 1};
  MPI_Aint places[4];
  MPI_Datatype types[4] = {MPI_DOUBLE, MPI_INT, MPI_CHAR, MPI_UB}, type;
  int i;
  MPI_Address(some[0].place, &places[0]);
  MPI_Address(&some[0].kind, &places[1]);
  MPI_Address(&some[0].tag, &places[2]);
  MPI_Address(&some[1], &places[3]);
  for (i = 3; i >= 0; --i) places[i] -= places[0];
  MPI_Type_struct(4, lengths, places, types, &type);
  MPI_Type_commit(&type);
  return type;
}

/* Everyone sends particles to the next. */
static void send_particles(void) {
  MPI_Datatype type = particle_type();
  Particle mine[5] = {{{0, 0, 0}, 0, 0}}, theirs[5];
  int rank, size, i;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  expect_bounds(type, 0, (MPI_Aint)sizeof(Particle));
  for (i = 0; i < 5; ++i) {
    mine[i].place[2] = rank + i / 8.0;
    mine[i].kind = 10 * rank + i;
    mine[i].tag = (char)('a' + i);
  }
  MPI_Sendrecv(mine, 5, type, (rank + 1) % size, 0, theirs, 5, type, (rank + size - 1) % size, 0, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
  rank = (rank + size - 1) % size;
  for (i = 0; i < 5; ++i)
    EXPECT(theirs[i].place[2] == rank + i / 8.0 && theirs[i].kind == 10 * rank + i && theirs[i].tag == 'a' + i);
  MPI_Type_free(&type);
}

static void mark_bounds(void) {
  int lengths[4] = {1, 1, 1, 1};
  MPI_Aint places[4] = {-8, 4, 32, 40};
  MPI_Datatype types[4] = {MPI_LB, MPI_INT, MPI_UB, MPI_UB}, type;
  MPI_Type_struct(4, lengths, places, types, &type);
  expect_bounds(type, -8, 40);
  MPI_Type_free(&type);
  lengths[3] = 0; /* a block of nothing */
  MPI_Type_struct(4, lengths, places, types, &type);
  expect_bounds(type, -8, 32);
  MPI_Type_free(&type);
  MPI_Type_struct(2, lengths, places, types, &type); /* a lower bound alone */
  expect_bounds(type, -8, 8);
  MPI_Type_free(&type);
  MPI_Type_struct(1, lengths + 1, places + 1, types + 1, &type); /* none */
  expect_bounds(type, 4, 8);
  MPI_Type_free(&type);
}

static void other_constructors(void) {
  int lengths[2] = {1, 2};
  MPI_Aint places[2] = {8, 16};
  MPI_Datatype type;
  MPI_Type_hvector(3, 1, 10, MPI_INT, &type);
  expect_bounds(type, 0, 24);
  MPI_Type_free(&type);
  MPI_Type_hindexed(2, lengths, places, MPI_INT, &type);
  expect_bounds(type, 8, 24);
  MPI_Type_free(&type);
  switch (MPI_COMBINER_STRUCT) {
    case MPI_COMBINER_STRUCT: break;
    case MPI_COMBINER_STRUCT_INTEGER:
    case MPI_COMBINER_HINDEXED_INTEGER:
    case MPI_COMBINER_HVECTOR_INTEGER: EXPECT(0);
  }
}

static void errors(void) {
  MPI_Handler_function* function = count_errors;
  MPI_Errhandler handler, found;
  MPI_Datatype type;
  int count = 0;
  MPI_Errhandler_create(function, &handler);
  MPI_Errhandler_set(MPI_COMM_SELF, handler);
  MPI_Errhandler_get(MPI_COMM_SELF, &found);
  EXPECT(found == handler);
  EXPECT(MPI_Type_struct(-1, &count, 0, 0, &type) != MPI_SUCCESS && handled == 1);
  MPI_Errhandler_free(&found);
  MPI_Errhandler_free(&handler);
  MPI_Errhandler_set(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  send_particles();
  mark_bounds();
  other_constructors();
  errors();
  MPI_Finalize();
  return 0;
}
