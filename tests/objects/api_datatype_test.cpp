// Datatypes through the C functions: what they make, what they tell again, what they refuse.
#include <climits>
#include <cstring>
#include <vector>

#include "refuse.hpp"

namespace cow::test {
namespace {

using Datatypes = Returning;

struct Extents {
  MPI_Count size, lb, extent, true_lb, true_extent;
  bool operator==(const Extents&) const = default;
};

Extents extents_of(MPI_Datatype type) {
  Extents e{};
  EXPECT_OK(MPI_Type_size_c(type, &e.size));
  EXPECT_OK(MPI_Type_get_extent_c(type, &e.lb, &e.extent));
  EXPECT_OK(MPI_Type_get_true_extent_c(type, &e.true_lb, &e.true_extent));
  // The other forms tell the same.
  int size;
  MPI_Aint lb, extent, true_lb, true_extent;
  MPI_Count large[5];
  EXPECT_OK(MPI_Type_size(type, &size));
  EXPECT_OK(MPI_Type_get_extent(type, &lb, &extent));
  EXPECT_OK(MPI_Type_get_true_extent(type, &true_lb, &true_extent));
  EXPECT_OK(MPI_Type_size_x(type, &large[0]));
  EXPECT_OK(MPI_Type_get_extent_x(type, &large[1], &large[2]));
  EXPECT_OK(MPI_Type_get_true_extent_x(type, &large[3], &large[4]));
  EXPECT_EQ(e, (Extents{large[0], large[1], large[2], large[3], large[4]}));
  if (e.size <= INT_MAX) {
    EXPECT_EQ(e, (Extents{size, lb, extent, true_lb, true_extent}));
  }
  return e;
}

// A type that is freed at the end.
class Type {
 public:
  Type() = default;
  Type(const Type&) = delete;
  Type& operator=(const Type&) = delete;
  ~Type() {
    if (value_ != MPI_DATATYPE_NULL) MPI_Type_free(&value_);
  }
  MPI_Datatype* out() { return &value_; }
  operator MPI_Datatype() const { return value_; }

 private:
  MPI_Datatype value_ = MPI_DATATYPE_NULL;
};

// What get_envelope and get_contents tell, in both forms.
struct Contents {
  int combiner = -1;
  std::vector<int> integers;
  std::vector<MPI_Aint> addresses;
  std::vector<MPI_Count> counts;
  std::vector<MPI_Datatype> types;
};

Contents contents_of(MPI_Datatype type) {
  Contents c;
  MPI_Count integers, addresses, counts, types;
  EXPECT_OK(MPI_Type_get_envelope_c(type, &integers, &addresses, &counts, &types, &c.combiner));
  c.integers.resize(integers);
  c.addresses.resize(addresses);
  c.counts.resize(counts);
  c.types.resize(types);
  if (c.combiner == MPI_COMBINER_NAMED) return c;
  EXPECT_OK(MPI_Type_get_contents_c(type, integers, addresses, counts, types, c.integers.data(), c.addresses.data(),
                                    c.counts.data(), c.types.data()));
  int small[4];
  if (counts > 0) {
    EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_get_envelope(type, &small[0], &small[1], &small[2], &small[3]));
  } else {
    EXPECT_OK(MPI_Type_get_envelope(type, &small[0], &small[1], &small[2], &small[3]));
    EXPECT_EQ(std::vector<int>(small, small + 4),
              (std::vector<int>{static_cast<int>(integers), static_cast<int>(addresses), static_cast<int>(types),
                                c.combiner}));
    std::vector<int> again(integers);
    std::vector<MPI_Aint> again_addresses(addresses);
    std::vector<MPI_Datatype> again_types(types);
    EXPECT_OK(MPI_Type_get_contents(type, small[0], small[1], small[2], again.data(), again_addresses.data(),
                                    again_types.data()));
    EXPECT_EQ(again, c.integers);
    EXPECT_EQ(again_addresses, c.addresses);
    EXPECT_EQ(again_types, c.types);
    for (MPI_Datatype& inner : again_types) {
      int combiner;
      EXPECT_OK(MPI_Type_get_envelope(inner, &small[0], &small[1], &small[2], &combiner));
      if (combiner != MPI_COMBINER_NAMED) {
        EXPECT_OK(MPI_Type_free(&inner));
      }
    }
  }
  return c;
}

void expect_contents(MPI_Datatype type, int combiner, std::vector<int> integers, std::vector<MPI_Aint> addresses,
                     std::vector<MPI_Count> counts, std::vector<MPI_Datatype> types) {
  const Contents c = contents_of(type);
  EXPECT_EQ(c.combiner, combiner);
  EXPECT_EQ(c.integers, integers);
  EXPECT_EQ(c.addresses, addresses);
  EXPECT_EQ(c.counts, counts);
  EXPECT_EQ(c.types, types);
}

TEST_F(Datatypes, Contiguous) {
  Type small, large;
  ASSERT_OK(MPI_Type_contiguous(3, MPI_INT, small.out()));
  EXPECT_EQ(extents_of(small), (Extents{12, 0, 12, 0, 12}));
  expect_contents(small, MPI_COMBINER_CONTIGUOUS, {3}, {}, {}, {MPI_INT});
  ASSERT_OK(MPI_Type_contiguous_c(MPI_Count{1} << 40, MPI_INT, large.out()));
  EXPECT_EQ(extents_of(large).size, MPI_Count{4} << 40);
  int size;
  ASSERT_OK(MPI_Type_size(large, &size));
  EXPECT_EQ(size, MPI_UNDEFINED);
  expect_contents(large, MPI_COMBINER_CONTIGUOUS, {}, {}, {MPI_Count{1} << 40}, {MPI_INT});

  MPI_Datatype out = MPI_CHAR;
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_contiguous(-1, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_contiguous(1, MPI_DATATYPE_NULL, &out));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_contiguous(1, made_up<MPI_Datatype>(), &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_contiguous(1, MPI_INT, nullptr));
  EXPECT_REFUSED(MPI_ERR_VALUE_TOO_LARGE, MPI_Type_contiguous_c(MPI_Count{1} << 62, MPI_INT, &out));
  EXPECT_EQ(out, MPI_CHAR);
}

TEST_F(Datatypes, Vectors) {
  Type vector, hvector, large, hlarge;
  ASSERT_OK(MPI_Type_vector(3, 2, 4, MPI_INT, vector.out()));
  EXPECT_EQ(extents_of(vector), (Extents{24, 0, 40, 0, 40}));
  expect_contents(vector, MPI_COMBINER_VECTOR, {3, 2, 4}, {}, {}, {MPI_INT});
  ASSERT_OK(MPI_Type_create_hvector(3, 2, -20, MPI_INT, hvector.out()));
  EXPECT_EQ(extents_of(hvector), (Extents{24, -40, 48, -40, 48}));
  expect_contents(hvector, MPI_COMBINER_HVECTOR, {3, 2}, {-20}, {}, {MPI_INT});
  ASSERT_OK(MPI_Type_vector_c(3, 2, 4, MPI_INT, large.out()));
  expect_contents(large, MPI_COMBINER_VECTOR, {}, {}, {3, 2, 4}, {MPI_INT});
  ASSERT_OK(MPI_Type_create_hvector_c(3, 2, 16, MPI_INT, hlarge.out()));
  expect_contents(hlarge, MPI_COMBINER_HVECTOR, {}, {}, {3, 2, 16}, {MPI_INT});
  EXPECT_EQ(extents_of(hlarge), extents_of(vector));

  MPI_Datatype out;
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_vector(-1, 1, 1, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_vector(1, -1, 1, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_create_hvector(1, -1, 1, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_create_hvector(1, 1, 1, MPI_DATATYPE_NULL, &out));
  EXPECT_REFUSED(MPI_ERR_VALUE_TOO_LARGE, MPI_Type_vector_c(3, 1, MPI_Count{1} << 62, MPI_INT, &out));
}

TEST_F(Datatypes, Indexed) {
  const int lengths[] = {2, 0, 1}, places[] = {4, 100, 0};
  const MPI_Aint bytes[] = {16, 400, 0};
  const MPI_Count large_lengths[] = {2, 0, 1}, large_places[] = {4, 100, 0}, large_bytes[] = {16, 400, 0};
  Type indexed, hindexed, large, hlarge;
  ASSERT_OK(MPI_Type_indexed(3, lengths, places, MPI_INT, indexed.out()));
  ASSERT_OK(MPI_Type_create_hindexed(3, lengths, bytes, MPI_INT, hindexed.out()));
  ASSERT_OK(MPI_Type_indexed_c(3, large_lengths, large_places, MPI_INT, large.out()));
  ASSERT_OK(MPI_Type_create_hindexed_c(3, large_lengths, large_bytes, MPI_INT, hlarge.out()));
  for (const MPI_Datatype type :
       {MPI_Datatype(indexed), MPI_Datatype(hindexed), MPI_Datatype(large), MPI_Datatype(hlarge)})
    EXPECT_EQ(extents_of(type), (Extents{12, 0, 24, 0, 24}));
  expect_contents(indexed, MPI_COMBINER_INDEXED, {3, 2, 0, 1, 4, 100, 0}, {}, {}, {MPI_INT});
  expect_contents(hindexed, MPI_COMBINER_HINDEXED, {3, 2, 0, 1}, {16, 400, 0}, {}, {MPI_INT});
  expect_contents(large, MPI_COMBINER_INDEXED, {}, {}, {3, 2, 0, 1, 4, 100, 0}, {MPI_INT});
  expect_contents(hlarge, MPI_COMBINER_HINDEXED, {}, {}, {3, 2, 0, 1, 16, 400, 0}, {MPI_INT});

  Type empty;
  ASSERT_OK(MPI_Type_indexed(0, nullptr, nullptr, MPI_INT, empty.out()));
  EXPECT_EQ(extents_of(empty), (Extents{0, 0, 0, 0, 0}));
  const int negative[] = {1, -1, 1};
  MPI_Datatype out;
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_indexed(3, negative, places, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_indexed(-3, lengths, places, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_indexed(3, nullptr, places, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_hindexed(3, lengths, nullptr, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_create_hindexed(3, lengths, bytes, MPI_DATATYPE_NULL, &out));
}

TEST_F(Datatypes, IndexedBlocks) {
  const int places[] = {4, 0};
  const MPI_Aint bytes[] = {16, 0};
  const MPI_Count large_places[] = {4, 0}, large_bytes[] = {16, 0};
  Type indexed, hindexed, large, hlarge;
  ASSERT_OK(MPI_Type_create_indexed_block(2, 2, places, MPI_INT, indexed.out()));
  ASSERT_OK(MPI_Type_create_hindexed_block(2, 2, bytes, MPI_INT, hindexed.out()));
  ASSERT_OK(MPI_Type_create_indexed_block_c(2, 2, large_places, MPI_INT, large.out()));
  ASSERT_OK(MPI_Type_create_hindexed_block_c(2, 2, large_bytes, MPI_INT, hlarge.out()));
  for (const MPI_Datatype type :
       {MPI_Datatype(indexed), MPI_Datatype(hindexed), MPI_Datatype(large), MPI_Datatype(hlarge)})
    EXPECT_EQ(extents_of(type), (Extents{16, 0, 24, 0, 24}));
  expect_contents(indexed, MPI_COMBINER_INDEXED_BLOCK, {2, 2, 4, 0}, {}, {}, {MPI_INT});
  expect_contents(hindexed, MPI_COMBINER_HINDEXED_BLOCK, {2, 2}, {16, 0}, {}, {MPI_INT});
  expect_contents(large, MPI_COMBINER_INDEXED_BLOCK, {}, {}, {2, 2, 4, 0}, {MPI_INT});
  expect_contents(hlarge, MPI_COMBINER_HINDEXED_BLOCK, {}, {}, {2, 2, 16, 0}, {MPI_INT});
  MPI_Datatype out;
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_create_indexed_block(2, -1, places, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_create_hindexed_block(-2, 1, bytes, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_indexed_block(2, 1, nullptr, MPI_INT, &out));
}

TEST_F(Datatypes, Structures) {
  struct S {
    double d;
    char c[3];
  };
  const int lengths[] = {1, 3};
  const MPI_Aint places[] = {0, 8};
  const MPI_Count large_lengths[] = {1, 3}, large_places[] = {0, 8};
  const MPI_Datatype types[] = {MPI_DOUBLE, MPI_CHAR};
  Type small, large;
  ASSERT_OK(MPI_Type_create_struct(2, lengths, places, types, small.out()));
  EXPECT_EQ(extents_of(small), (Extents{11, 0, sizeof(S), 0, 11}));
  expect_contents(small, MPI_COMBINER_STRUCT, {2, 1, 3}, {0, 8}, {}, {MPI_DOUBLE, MPI_CHAR});
  ASSERT_OK(MPI_Type_create_struct_c(2, large_lengths, large_places, types, large.out()));
  expect_contents(large, MPI_COMBINER_STRUCT, {}, {}, {2, 1, 3, 0, 8}, {MPI_DOUBLE, MPI_CHAR});
  const MPI_Datatype null[] = {MPI_DOUBLE, MPI_DATATYPE_NULL};
  MPI_Datatype out;
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_create_struct(2, lengths, places, null, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_struct(2, lengths, places, nullptr, &out));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Type_create_struct(-2, lengths, places, types, &out));
}

TEST_F(Datatypes, Subarrays) {
  const int sizes[] = {4, 5}, subsizes[] = {2, 3}, starts[] = {1, 2};
  const MPI_Count large_sizes[] = {4, 5}, large_subsizes[] = {2, 3}, large_starts[] = {1, 2};
  Type small, large;
  ASSERT_OK(MPI_Type_create_subarray(2, sizes, subsizes, starts, MPI_ORDER_C, MPI_INT, small.out()));
  EXPECT_EQ(extents_of(small), (Extents{24, 0, 80, 28, 32}));
  expect_contents(small, MPI_COMBINER_SUBARRAY, {2, 4, 5, 2, 3, 1, 2, MPI_ORDER_C}, {}, {}, {MPI_INT});
  ASSERT_OK(MPI_Type_create_subarray_c(2, large_sizes, large_subsizes, large_starts, MPI_ORDER_FORTRAN, MPI_INT,
                                       large.out()));
  EXPECT_EQ(extents_of(large), (Extents{24, 0, 80, 36, 40}));
  expect_contents(large, MPI_COMBINER_SUBARRAY, {2, MPI_ORDER_FORTRAN}, {}, {4, 5, 2, 3, 1, 2}, {MPI_INT});
  const int too_far[] = {3, 2}, too_big[] = {2, 6}, zero[] = {0, 1};
  MPI_Datatype out;
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_subarray(0, sizes, subsizes, starts, MPI_ORDER_C, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_subarray(2, sizes, subsizes, too_far, MPI_ORDER_C, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_subarray(2, sizes, too_big, starts, MPI_ORDER_C, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_subarray(2, sizes, zero, starts, MPI_ORDER_C, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_subarray(2, sizes, subsizes, starts, 5, MPI_INT, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_subarray(2, nullptr, subsizes, starts, MPI_ORDER_C, MPI_INT, &out));
}

TEST_F(Datatypes, DistributedArrays) {
  const int sizes[] = {4, 6}, distributions[] = {MPI_DISTRIBUTE_BLOCK, MPI_DISTRIBUTE_CYCLIC};
  const int arguments[] = {MPI_DISTRIBUTE_DFLT_DARG, 2}, grid[] = {2, 2};
  const MPI_Count large_sizes[] = {4, 6};
  Type small, large;
  ASSERT_OK(MPI_Type_create_darray(4, 1, 2, sizes, distributions, arguments, grid, MPI_ORDER_C, MPI_INT, small.out()));
  EXPECT_EQ(extents_of(small), (Extents{16, 0, 96, 8, 32}));
  expect_contents(
      small, MPI_COMBINER_DARRAY,
      {4, 1, 2, 4, 6, MPI_DISTRIBUTE_BLOCK, MPI_DISTRIBUTE_CYCLIC, MPI_DISTRIBUTE_DFLT_DARG, 2, 2, 2, MPI_ORDER_C}, {},
      {}, {MPI_INT});
  ASSERT_OK(MPI_Type_create_darray_c(4, 1, 2, large_sizes, distributions, arguments, grid, MPI_ORDER_C, MPI_INT,
                                     large.out()));
  expect_contents(
      large, MPI_COMBINER_DARRAY,
      {4, 1, 2, MPI_DISTRIBUTE_BLOCK, MPI_DISTRIBUTE_CYCLIC, MPI_DISTRIBUTE_DFLT_DARG, 2, 2, 2, MPI_ORDER_C}, {},
      {4, 6}, {MPI_INT});
  const int small_blocks[] = {1, 2}, odd[] = {2, 3}, none[] = {MPI_DISTRIBUTE_NONE, 77};
  MPI_Datatype out;
  const auto make = [&](int rank, const int* kinds, const int* dargs, const int* psizes) {
    return MPI_Type_create_darray(4, rank, 2, sizes, kinds, dargs, psizes, MPI_ORDER_C, MPI_INT, &out);
  };
  EXPECT_EQ(class_of(make(4, distributions, arguments, grid)), MPI_ERR_RANK);
  EXPECT_EQ(class_of(make(0, distributions, small_blocks, grid)), MPI_ERR_ARG);
  EXPECT_EQ(class_of(make(0, distributions, arguments, odd)), MPI_ERR_ARG);
  EXPECT_EQ(class_of(make(0, none, arguments, grid)), MPI_ERR_ARG);
}

TEST_F(Datatypes, ResizedAndDuplicated) {
  Type resized, large, dup;
  ASSERT_OK(MPI_Type_create_resized(MPI_INT, -4, 16, resized.out()));
  EXPECT_EQ(extents_of(resized), (Extents{4, -4, 16, 0, 4}));
  expect_contents(resized, MPI_COMBINER_RESIZED, {}, {-4, 16}, {}, {MPI_INT});
  ASSERT_OK(MPI_Type_create_resized_c(MPI_INT, -4, 16, large.out()));
  expect_contents(large, MPI_COMBINER_RESIZED, {}, {}, {-4, 16}, {MPI_INT});
  ASSERT_OK(MPI_Type_dup(resized, dup.out()));
  EXPECT_EQ(extents_of(dup), extents_of(resized));
  const Contents c = contents_of(dup);
  EXPECT_EQ(c.combiner, MPI_COMBINER_DUP);
  ASSERT_EQ(c.types.size(), 1u);
  EXPECT_EQ(extents_of(c.types[0]), extents_of(resized));
  MPI_Datatype inner = c.types[0], out;
  EXPECT_OK(MPI_Type_free(&inner));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_create_resized(MPI_DATATYPE_NULL, 0, 4, &out));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_dup(made_up<MPI_Datatype>(), &out));
}

TEST_F(Datatypes, ContentsLiveLongerThanTheirHandles) {
  MPI_Datatype inner;
  Type outer;
  ASSERT_OK(MPI_Type_vector(2, 1, 3, MPI_SHORT, &inner));
  ASSERT_OK(MPI_Type_contiguous(2, inner, outer.out()));
  MPI_Datatype freed = inner;
  ASSERT_OK(MPI_Type_free(&inner));
  EXPECT_EQ(inner, MPI_DATATYPE_NULL);
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_commit(&freed));
  Contents c = contents_of(outer);
  ASSERT_EQ(c.types.size(), 1u);
  expect_contents(c.types[0], MPI_COMBINER_VECTOR, {2, 1, 3}, {}, {}, {MPI_SHORT});
  MPI_Datatype again = c.types[0];
  EXPECT_OK(MPI_Type_free(&c.types[0]));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_commit(&again));
}

TEST_F(Datatypes, ContentsAreRefused) {
  Type vector;
  ASSERT_OK(MPI_Type_vector(3, 2, 4, MPI_INT, vector.out()));
  int integers[3];
  MPI_Aint addresses[1];
  MPI_Datatype types[1];
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_get_contents(MPI_INT, 0, 0, 0, integers, addresses, types));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_get_contents(vector, 2, 1, 1, integers, addresses, types));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_get_contents(vector, 3, 0, 0, integers, addresses, types));
  int combiner, n;
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_get_envelope(MPI_DATATYPE_NULL, &n, &n, &n, &combiner));
  EXPECT_OK(MPI_Type_get_envelope(MPI_INT, &n, &n, &n, &combiner));
  EXPECT_EQ(combiner, MPI_COMBINER_NAMED);
}

TEST_F(Datatypes, FreeingAndCommitting) {
  MPI_Datatype predefined = MPI_INT, null = MPI_DATATYPE_NULL;
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_free(&predefined));
  EXPECT_EQ(predefined, MPI_INT);
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_free(&null));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_commit(&null));
  EXPECT_OK(MPI_Type_commit(&predefined));
}

TEST_F(Datatypes, OfFortranKinds) {
  MPI_Datatype first, second, other;
  ASSERT_OK(MPI_Type_create_f90_real(15, 300, &first));
  ASSERT_OK(MPI_Type_create_f90_real(15, 300, &second));
  ASSERT_OK(MPI_Type_create_f90_real(15, MPI_UNDEFINED, &other));
  EXPECT_EQ(first, second);
  EXPECT_NE(first, other);
  EXPECT_EQ(extents_of(first), (Extents{8, 0, 8, 0, 8}));
  expect_contents(first, MPI_COMBINER_F90_REAL, {15, 300}, {}, {}, {});
  ASSERT_OK(MPI_Type_create_f90_complex(6, 30, &other));
  EXPECT_EQ(extents_of(other).size, 8);
  expect_contents(other, MPI_COMBINER_F90_COMPLEX, {6, 30}, {}, {}, {});
  ASSERT_OK(MPI_Type_create_f90_integer(12, &other));
  EXPECT_EQ(extents_of(other).size, 8);
  expect_contents(other, MPI_COMBINER_F90_INTEGER, {12}, {}, {}, {});
  double in = 2, inout = 3;
  EXPECT_OK(MPI_Reduce_local(&in, &inout, 1, first, MPI_SUM));
  EXPECT_EQ(inout, 5);
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_free(&first));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_f90_real(99, 10, &other));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_f90_complex(MPI_UNDEFINED, MPI_UNDEFINED, &other));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_f90_integer(99, &other));
}

TEST_F(Datatypes, OfASize) {
  MPI_Datatype type;
  ASSERT_OK(MPI_Type_match_size(MPI_TYPECLASS_INTEGER, 2, &type));
  EXPECT_EQ(type, MPI_INTEGER2);
  ASSERT_OK(MPI_Type_match_size(MPI_TYPECLASS_REAL, 8, &type));
  EXPECT_EQ(type, MPI_REAL8);
  ASSERT_OK(MPI_Type_match_size(MPI_TYPECLASS_COMPLEX, 16, &type));
  EXPECT_EQ(type, MPI_COMPLEX16);
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_match_size(MPI_TYPECLASS_REAL, 3, &type));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_match_size(7, 4, &type));
}

TEST_F(Datatypes, OfAValueAndAnIndex) {
  MPI_Datatype pair;
  ASSERT_OK(MPI_Type_get_value_index(MPI_FLOAT, MPI_INT, &pair));
  EXPECT_EQ(pair, MPI_FLOAT_INT);
  ASSERT_OK(MPI_Type_get_value_index(MPI_DOUBLE, MPI_UINT64_T, &pair));
  expect_contents(pair, MPI_COMBINER_VALUE_INDEX, {}, {}, {}, {MPI_DOUBLE, MPI_UINT64_T});
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_free(&pair));
  ASSERT_OK(MPI_Type_get_value_index(MPI_C_BOOL, MPI_INT, &pair));
  EXPECT_EQ(pair, MPI_DATATYPE_NULL);
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_get_value_index(MPI_DATATYPE_NULL, MPI_INT, &pair));
}

// The standard's bounds are those of the type map (section 5.1.6): what pads an element to its alignment is no part of it,
// so that a type whose last element has its padding at the very end is only as long as the data, rounded up once.
TEST_F(Datatypes, ExtentsOfPaddedParts) {
  const int ones[] = {1, 1};
  const MPI_Aint next[] = {0, 4}, apart[] = {0, 9};
  const MPI_Datatype kinds[] = {MPI_INT, MPI_CHAR};
  Type padded, indexed, pair, vector, of_vectors, row;
  ASSERT_OK(MPI_Type_create_struct(2, ones, next, kinds, padded.out()));
  EXPECT_EQ(extents_of(padded), (Extents{5, 0, 8, 0, 5}));
  ASSERT_OK(MPI_Type_create_hindexed(2, ones, next, padded, indexed.out()));
  EXPECT_EQ(extents_of(indexed), (Extents{10, 0, 12, 0, 9}));
  const MPI_Datatype both[] = {padded, padded};
  ASSERT_OK(MPI_Type_create_struct(2, ones, apart, both, pair.out()));
  EXPECT_EQ(extents_of(pair), (Extents{10, 0, 16, 0, 14})) << "not 20: the second ends at 14, its padding at 17";
  ASSERT_OK(MPI_Type_create_hvector(3, 4, 25, MPI_INT, vector.out()));
  EXPECT_EQ(extents_of(vector), (Extents{48, 0, 68, 0, 66}));
  ASSERT_OK(MPI_Type_create_hvector(2, 3, 273, vector, of_vectors.out()));
  EXPECT_EQ(extents_of(of_vectors), (Extents{288, 0, 476, 0, 475})) << "273 + 2 * 68 + 66";
  // Bounds that the program has set are part of the type map, wherever the data ends.
  Type set;
  ASSERT_OK(MPI_Type_create_resized(padded, 0, 8, set.out()));
  ASSERT_OK(MPI_Type_create_hvector(2, 1, 9, set, row.out()));
  EXPECT_EQ(extents_of(row), (Extents{10, 0, 17, 0, 14}));
}

TEST_F(Datatypes, Names) {
  char name[MPI_MAX_OBJECT_NAME];
  int length;
  ASSERT_OK(MPI_Type_get_name(MPI_DOUBLE_INT, name, &length));
  EXPECT_STREQ(name, "MPI_DOUBLE_INT");
  EXPECT_EQ(length, 14);
  Type type;
  ASSERT_OK(MPI_Type_contiguous(2, MPI_INT, type.out()));
  ASSERT_OK(MPI_Type_get_name(type, name, &length));
  EXPECT_EQ(length, 0);
  ASSERT_OK(MPI_Type_set_name(type, std::string(300, 'x').c_str()));
  ASSERT_OK(MPI_Type_get_name(type, name, &length));
  EXPECT_EQ(length, MPI_MAX_OBJECT_NAME - 1);
  EXPECT_EQ(std::string(name), std::string(MPI_MAX_OBJECT_NAME - 1, 'x'));
  ASSERT_OK(MPI_Type_get_name(MPI_DATATYPE_NULL, name, &length));
  EXPECT_STREQ(name, "MPI_DATATYPE_NULL");
  EXPECT_EQ(length, 17);
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_get_name(made_up<MPI_Datatype>(), name, &length));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_set_name(MPI_DATATYPE_NULL, "x"));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_set_name(type, nullptr));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_get_name(type, nullptr, &length));
}

TEST_F(Datatypes, Addresses) {
  int array[4] = {};
  MPI_Aint first, last;
  ASSERT_OK(MPI_Get_address(&array[0], &first));
  ASSERT_OK(MPI_Get_address(&array[3], &last));
  EXPECT_EQ(MPI_Aint_diff(last, first), 12);
  EXPECT_EQ(MPI_Aint_add(first, 12), last);
}

}  // namespace
}  // namespace cow::test
