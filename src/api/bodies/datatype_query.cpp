// Questions about datatypes, and counting received elements.
#include <algorithm>
#include <cstring>

#include "api/bodies.hpp"
#include "api/object_name.hpp"
#include "objects/constructors.hpp"
#include "objects/datatype.hpp"
#include "objects/request.hpp"

namespace cow {

Error body::Type_size(Datatype& datatype, MPI_Count* size) {
  *size = datatype.size;
  return success;
}

Error body::Type_get_extent(Datatype& datatype, MPI_Count* lb, MPI_Count* extent) {
  *lb = datatype.lb;
  *extent = datatype.extent;
  return success;
}

Error body::Type_get_true_extent(Datatype& datatype, MPI_Count* true_lb, MPI_Count* true_extent) {
  *true_lb = datatype.true_lb;
  *true_extent = datatype.true_extent;
  return success;
}

Error body::Type_get_name(Datatype* datatype, char* type_name, int* resultlen) {
  return api::give_name(datatype ? datatype->name.c_str() : "MPI_DATATYPE_NULL", type_name, resultlen);
}

Error body::Type_set_name(Datatype& datatype, const char* type_name) {
  datatype.name.assign(type_name, strnlen(type_name, MPI_MAX_OBJECT_NAME - 1));
  return success;
}

namespace {

Error refuse_small_form(const TypeContents& contents) {
  if (contents.counts.empty()) return success;
  return fail(ErrorClass::type, "the datatype was made with 64-bit counts: ask with the _c form");
}

template <class T>
Error copy_out(const std::vector<T>& values, MPI_Count room, T* out, const char* name) {
  const auto wanted = static_cast<MPI_Count>(values.size());
  if (room < wanted)
    return fail(ErrorClass::arg, "there is room for %lld %s, and %lld are to be told", static_cast<long long>(room),
                name, static_cast<long long>(wanted));
  if (wanted > 0 && !out) return fail(ErrorClass::arg, "the array of %s is a null pointer", name);
  std::copy(values.begin(), values.end(), out);
  return success;
}

}  // namespace

Error body::Type_get_envelope(Datatype& datatype, MPI_Count* num_integers, MPI_Count* num_addresses,
                              MPI_Count* num_large_counts, MPI_Count* num_datatypes, int* combiner) {
  static const TypeContents named;
  const TypeContents& contents = datatype.contents ? *datatype.contents : named;
  if (!num_large_counts)
    if (const Error error = refuse_small_form(contents)) return error;
  *num_integers = static_cast<MPI_Count>(contents.integers.size());
  *num_addresses = static_cast<MPI_Count>(contents.addresses.size());
  if (num_large_counts) *num_large_counts = static_cast<MPI_Count>(contents.counts.size());
  *num_datatypes = static_cast<MPI_Count>(contents.types.size());
  *combiner = contents.combiner;
  return success;
}

// The datatypes told are the program's to free, but for predefined ones.
Error body::Type_get_contents(Datatype& datatype, MPI_Count max_integers, MPI_Count max_addresses,
                              MPI_Count max_large_counts, MPI_Count max_datatypes, int* array_of_integers,
                              MPI_Aint* array_of_addresses, MPI_Count* array_of_large_counts,
                              MPI_Datatype* array_of_datatypes) {
  if (!datatype.contents)
    return fail(ErrorClass::type, "%s is a named predefined datatype: it has no contents", describe(datatype));
  const TypeContents& contents = *datatype.contents;
  if (max_large_counts == 0 && !array_of_large_counts)
    if (const Error error = refuse_small_form(contents)) return error;
  if (const Error error = copy_out(contents.integers, max_integers, array_of_integers, "integers")) return error;
  if (const Error error = copy_out(contents.addresses, max_addresses, array_of_addresses, "addresses")) return error;
  if (const Error error = copy_out(contents.counts, max_large_counts, array_of_large_counts, "large counts"))
    return error;
  const auto types = static_cast<MPI_Count>(contents.types.size());
  if (max_datatypes < types)
    return fail(ErrorClass::arg, "there is room for %lld datatypes, and %lld are to be told",
                static_cast<long long>(max_datatypes), static_cast<long long>(types));
  if (types > 0 && !array_of_datatypes) return fail(ErrorClass::arg, "array_of_datatypes is a null pointer");
  for (std::size_t i = 0; i < contents.types.size(); ++i)
    if (const Error error = give_handle(*contents.types[i], &array_of_datatypes[i])) return error;
  return success;
}

Error body::Get_count(const MPI_Status* status, Datatype& datatype, MPI_Count* count) {
  *count = count_in(datatype, bytes_of(*status));
  return success;
}

Error body::Get_elements(const MPI_Status* status, Datatype& datatype, MPI_Count* count) {
  *count = elements_in(datatype, bytes_of(*status));
  return success;
}

Error body::Status_set_elements(MPI_Status* status, Datatype& datatype, MPI_Count count) {
  if (count < 0) return fail(ErrorClass::count, "count is %lld, must not be negative", static_cast<long long>(count));
  MPI_Count bytes;
  if (const Error error = bytes_of_elements(datatype, count, bytes)) return error;
  set_bytes(*status, bytes);
  return success;
}

}  // namespace cow
