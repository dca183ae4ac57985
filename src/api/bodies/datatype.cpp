// Making and freeing datatypes.
#include "objects/datatype.hpp"

#include <vector>

#include "api/bodies.hpp"
#include "base/at_end.hpp"
#include "objects/constructors.hpp"

namespace cow {
namespace {

// Hands a new type to the program: the handle takes the reference over.
Error hand_out(Datatype* type, MPI_Datatype* out) {
  const Error error = give_handle(*type, out);
  release(*type);
  return error;
}

Error hand_out_permanent(Datatype* type, MPI_Datatype* out) { return give_handle(*type, out); }

Error check_length(MPI_Count count, const char* name) {
  if (count >= 0) return success;
  return fail(ErrorClass::count, "%s is %lld, must not be negative", name, static_cast<long long>(count));
}

// An array argument as 64-bit numbers.
Error read(Counts values, MPI_Count count, const char* name, std::vector<MPI_Count>& out) {
  if (count > 0 && !values) return fail(ErrorClass::arg, "%s is a null pointer", name);
  out.clear();
  out.reserve(static_cast<std::size_t>(count));
  for (MPI_Count i = 0; i < count; ++i) out.push_back(values[i]);
  return success;
}

Error read(const int* values, int count, const char* name, std::span<const int>& out) {
  if (!values) return fail(ErrorClass::arg, "%s is a null pointer", name);
  out = {values, static_cast<std::size_t>(count)};
  return success;
}

struct Blocks {
  std::vector<MPI_Count> lengths, displacements;
};

Error read_blocks(MPI_Count count, Counts lengths, Counts displacements, Blocks& out) {
  if (const Error error = check_length(count, "count")) return error;
  if (const Error error = read(lengths, count, "array_of_blocklengths", out.lengths)) return error;
  return read(displacements, count, "array_of_displacements", out.displacements);
}

}  // namespace

Error body::Type_contiguous(MPI_Count count, Datatype& oldtype, MPI_Datatype* newtype, bool large) {
  Datatype* made;
  if (const Error error = make_contiguous(count, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_vector(MPI_Count count, MPI_Count blocklength, MPI_Count stride, Datatype& oldtype,
                        MPI_Datatype* newtype, bool large) {
  Datatype* made;
  if (const Error error = make_vector(count, blocklength, stride, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_create_hvector(MPI_Count count, MPI_Count blocklength, MPI_Count stride, Datatype& oldtype,
                                MPI_Datatype* newtype, bool large) {
  Datatype* made;
  if (const Error error = make_hvector(count, blocklength, stride, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_indexed(MPI_Count count, Counts array_of_blocklengths, Counts array_of_displacements,
                         Datatype& oldtype, MPI_Datatype* newtype, bool large) {
  Blocks blocks;
  Datatype* made;
  if (const Error error = read_blocks(count, array_of_blocklengths, array_of_displacements, blocks)) return error;
  if (const Error error = make_indexed(blocks.lengths, blocks.displacements, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_create_hindexed(MPI_Count count, Counts array_of_blocklengths, Counts array_of_displacements,
                                 Datatype& oldtype, MPI_Datatype* newtype, bool large) {
  Blocks blocks;
  Datatype* made;
  if (const Error error = read_blocks(count, array_of_blocklengths, array_of_displacements, blocks)) return error;
  if (const Error error = make_hindexed(blocks.lengths, blocks.displacements, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_create_indexed_block(MPI_Count count, MPI_Count blocklength, Counts array_of_displacements,
                                      Datatype& oldtype, MPI_Datatype* newtype, bool large) {
  std::vector<MPI_Count> displacements;
  Datatype* made;
  if (const Error error = check_length(count, "count")) return error;
  if (const Error error = read(array_of_displacements, count, "array_of_displacements", displacements)) return error;
  if (const Error error = make_indexed_block(blocklength, displacements, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_create_hindexed_block(MPI_Count count, MPI_Count blocklength, Counts array_of_displacements,
                                       Datatype& oldtype, MPI_Datatype* newtype, bool large) {
  std::vector<MPI_Count> displacements;
  Datatype* made;
  if (const Error error = check_length(count, "count")) return error;
  if (const Error error = read(array_of_displacements, count, "array_of_displacements", displacements)) return error;
  if (const Error error = make_hindexed_block(blocklength, displacements, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_create_struct(MPI_Count count, Counts array_of_blocklengths, Counts array_of_displacements,
                               const MPI_Datatype* array_of_types, MPI_Datatype* newtype, bool large) {
  Blocks blocks;
  Datatype* made;
  if (const Error error = read_blocks(count, array_of_blocklengths, array_of_displacements, blocks)) return error;
  if (count > 0 && !array_of_types) return fail(ErrorClass::arg, "array_of_types is a null pointer");
  std::vector<Datatype*> types;
  types.reserve(static_cast<std::size_t>(count));
  for (MPI_Count i = 0; i < count; ++i) {
    types.push_back(find(array_of_types[i]));
    if (!types.back())
      return fail(
          ErrorClass::type, "array_of_types[%lld] is %s", static_cast<long long>(i),
          array_of_types[i] == MPI_DATATYPE_NULL ? "MPI_DATATYPE_NULL" : "not a datatype, or one that was freed");
  }
  if (const Error error = make_struct(blocks.lengths, blocks.displacements, types, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_create_subarray(int ndims, Counts array_of_sizes, Counts array_of_subsizes, Counts array_of_starts,
                                 int order, Datatype& oldtype, MPI_Datatype* newtype, bool large) {
  std::vector<MPI_Count> sizes, subsizes, starts;
  Datatype* made;
  if (ndims < 1) return fail(ErrorClass::arg, "ndims is %d, must be at least 1", ndims);
  if (const Error error = read(array_of_sizes, ndims, "array_of_sizes", sizes)) return error;
  if (const Error error = read(array_of_subsizes, ndims, "array_of_subsizes", subsizes)) return error;
  if (const Error error = read(array_of_starts, ndims, "array_of_starts", starts)) return error;
  if (const Error error = make_subarray(sizes, subsizes, starts, order, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_create_darray(int size, int rank, int ndims, Counts array_of_gsizes, const int* array_of_distribs,
                               const int* array_of_dargs, const int* array_of_psizes, int order, Datatype& oldtype,
                               MPI_Datatype* newtype, bool large) {
  std::vector<MPI_Count> global_sizes;
  DarrayArgs args{size, rank, {}, {}, {}, {}, order};
  Datatype* made;
  if (ndims < 1) return fail(ErrorClass::arg, "ndims is %d, must be at least 1", ndims);
  if (const Error error = read(array_of_gsizes, ndims, "array_of_gsizes", global_sizes)) return error;
  if (const Error error = read(array_of_distribs, ndims, "array_of_distribs", args.distributions)) return error;
  if (const Error error = read(array_of_dargs, ndims, "array_of_dargs", args.arguments)) return error;
  if (const Error error = read(array_of_psizes, ndims, "array_of_psizes", args.process_sizes)) return error;
  args.global_sizes = global_sizes;
  if (const Error error = make_darray(args, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_create_resized(Datatype& oldtype, MPI_Count lb, MPI_Count extent, MPI_Datatype* newtype, bool large) {
  Datatype* made;
  if (const Error error = make_resized(lb, extent, oldtype, large, made)) return error;
  return hand_out(made, newtype);
}

Error body::Type_dup(Datatype& oldtype, MPI_Datatype* newtype) {
  Datatype* made;
  if (const Error error = make_dup(oldtype, made)) return error;
  MPI_Datatype handle;
  if (const Error error = hand_out(made, &handle)) return error;
  AtEnd discarding([made] { free_handle(*made).ignore(); });  // it has no attributes then
  if (const Error error =
          oldtype.attributes.copy_to(oldtype.handle(), made->attributes, reinterpret_cast<std::uintptr_t>(handle)))
    return error;
  discarding.forget();
  *newtype = handle;
  return success;
}

Error body::Type_get_value_index(Datatype& value_type, Datatype& index_type, MPI_Datatype* pair_type) {
  Datatype* found = find_value_index(value_type, index_type);
  if (found) return hand_out_permanent(found, pair_type);
  *pair_type = MPI_DATATYPE_NULL;
  return success;
}

Error body::Type_create_f90_real(int p, int r, MPI_Datatype* newtype) {
  Datatype* found;
  if (const Error error = find_f90_real(p, r, found)) return error;
  return hand_out_permanent(found, newtype);
}

Error body::Type_create_f90_complex(int p, int r, MPI_Datatype* newtype) {
  Datatype* found;
  if (const Error error = find_f90_complex(p, r, found)) return error;
  return hand_out_permanent(found, newtype);
}

Error body::Type_create_f90_integer(int r, MPI_Datatype* newtype) {
  Datatype* found;
  if (const Error error = find_f90_integer(r, found)) return error;
  return hand_out_permanent(found, newtype);
}

Error body::Type_match_size(int typeclass, int size, MPI_Datatype* datatype) {
  Datatype* found;
  if (const Error error = match_size(typeclass, size, found)) return error;
  return hand_out_permanent(found, datatype);
}

Error body::Type_commit(MPI_Datatype* datatype) {
  commit(*find(*datatype));
  return success;
}

Error body::Type_free(MPI_Datatype* datatype) {
  if (const Error error = free_handle(*find(*datatype))) return error;
  *datatype = MPI_DATATYPE_NULL;
  return success;
}

}  // namespace cow
