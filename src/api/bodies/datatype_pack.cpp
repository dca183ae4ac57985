// Packing by the program.
#include <cstring>

#include "api/bodies.hpp"
#include "objects/comm.hpp"
#include "objects/datatype.hpp"

namespace cow {
namespace {

using Number = long long;  // what %lld takes

Error check_count(MPI_Count count, const char* name) {
  if (count >= 0) return success;
  return fail(ErrorClass::count, "%s is %lld, must not be negative", name, static_cast<Number>(count));
}

// Whether `bytes` fit into a buffer of `size` from `position` on.
Error check_room(MPI_Count position, MPI_Count size, MPI_Count bytes, const char* what) {
  if (size < 0) return fail(ErrorClass::arg, "the size of the packed buffer is %lld", static_cast<Number>(size));
  if (position < 0 || position > size)
    return fail(ErrorClass::arg, "*position is %lld, must be 0 … %lld", static_cast<Number>(position),
                static_cast<Number>(size));
  if (bytes > size - position)
    return fail(ErrorClass::truncate, "%s needs %lld bytes, and %lld of the packed buffer's %lld are left", what,
                static_cast<Number>(bytes), static_cast<Number>(size - position), static_cast<Number>(size));
  return success;
}

Error total_of(const Datatype& type, MPI_Count count, MPI_Count size, MPI_Count& total) {
  if (__builtin_mul_overflow(count, size, &total))
    return fail(ErrorClass::value_too_large, "%lld elements of %s are more than 2^63 - 1 bytes",
                static_cast<Number>(count), describe(type));
  return success;
}

Error check_representation(const char* name) {
  if (!name) return fail(ErrorClass::arg, "datarep is a null pointer");
  if (strcmp(name, "external32") == 0) return success;
  return fail(ErrorClass::arg, "the data representation is \"%s\": only \"external32\" can be packed", name);
}

Error need_packed(const void* buffer, const char* name, MPI_Count bytes) {
  if (buffer || bytes == 0) return success;
  return fail(ErrorClass::buffer, "%s is a null pointer, but there are %lld bytes", name, static_cast<Number>(bytes));
}

char* at(const void* buffer, MPI_Count position) {
  return reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(buffer) + static_cast<std::uintptr_t>(position));
}

}  // namespace

Error body::Pack_size(MPI_Count incount, Datatype& datatype, Comm&, MPI_Count* size) {
  return total_of(datatype, incount, datatype.size, *size);
}

Error body::Pack(const void* inbuf, MPI_Count incount, Datatype& datatype, void* outbuf, MPI_Count outsize,
                 MPI_Count* position, Comm&) {
  MPI_Count bytes;
  if (const Error error = total_of(datatype, incount, datatype.size, bytes)) return error;
  if (const Error error = check_room(*position, outsize, bytes, "packing")) return error;
  if (const Error error = need_packed(outbuf, "outbuf", bytes)) return error;
  *position += pack(datatype, inbuf, incount, 0, at(outbuf, *position), bytes);
  return success;
}

Error body::Unpack(const void* inbuf, MPI_Count insize, MPI_Count* position, void* outbuf, MPI_Count outcount,
                   Datatype& datatype, Comm&) {
  MPI_Count bytes;
  if (const Error error = check_count(outcount, "outcount")) return error;
  if (const Error error = total_of(datatype, outcount, datatype.size, bytes)) return error;
  if (const Error error = check_room(*position, insize, bytes, "unpacking")) return error;
  if (const Error error = need_packed(inbuf, "inbuf", bytes)) return error;
  *position += unpack(datatype, outbuf, outcount, 0, at(inbuf, *position), bytes);
  return success;
}

Error body::Pack_external_size(const char* datarep, MPI_Count incount, Datatype& datatype, MPI_Count* size) {
  if (const Error error = check_representation(datarep)) return error;
  if (const Error error = check_count(incount, "incount")) return error;
  return total_of(datatype, incount, external_size(datatype, 1), *size);
}

Error body::Pack_external(const char* datarep, const void* inbuf, MPI_Count incount, Datatype& datatype, void* outbuf,
                          MPI_Count outsize, MPI_Count* position) {
  MPI_Count bytes;
  if (const Error error = check_representation(datarep)) return error;
  if (const Error error = check_count(incount, "incount")) return error;
  if (const Error error = total_of(datatype, incount, external_size(datatype, 1), bytes)) return error;
  if (const Error error = check_room(*position, outsize, bytes, "packing")) return error;
  if (const Error error = need_packed(outbuf, "outbuf", bytes)) return error;
  if (const Error error = pack_external(datatype, inbuf, incount, at(outbuf, *position))) return error;
  *position += bytes;
  return success;
}

Error body::Unpack_external(const char* datarep, const void* inbuf, MPI_Count insize, MPI_Count* position, void* outbuf,
                            MPI_Count outcount, Datatype& datatype) {
  MPI_Count bytes;
  if (const Error error = check_representation(datarep)) return error;
  if (const Error error = check_count(outcount, "outcount")) return error;
  if (const Error error = total_of(datatype, outcount, external_size(datatype, 1), bytes)) return error;
  if (const Error error = check_room(*position, insize, bytes, "unpacking")) return error;
  if (const Error error = need_packed(inbuf, "inbuf", bytes)) return error;
  if (const Error error = unpack_external(datatype, outbuf, outcount, at(inbuf, *position))) return error;
  *position += bytes;
  return success;
}

}  // namespace cow
