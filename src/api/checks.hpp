// The checks of arguments that the bindings make, by the standard's kind of each parameter. What is inline is the test;
// composing the message is not.
#pragma once

#include "api/start.hpp"
#include "objects/comm.hpp"
#include "objects/counts.hpp"
#include "objects/datatype.hpp"

namespace cow::api {

// Which width of count the program passed: a negative int is often a count that overflowed.
enum class Width : std::uint8_t { small, large };

[[gnu::cold]] Error refuse_call();

// Calls that are allowed at any time find the predefined objects even before the start.
[[gnu::cold]] void prepare_early_call();

[[gnu::cold]] Error bad_handle(int error_class, const char* parameter, std::uintptr_t handle);
[[gnu::cold]] Error bad_null(const char* parameter);
[[gnu::cold]] Error bad_count(MPI_Count count, const char* parameter, Width width);
[[gnu::cold]] Error bad_length(int length, const char* parameter);
[[gnu::cold]] Error bad_rank(ErrorClass error_class, int rank, const char* parameter, const Comm& comm);
[[gnu::cold]] Error bad_tag(int tag, const char* parameter, bool wildcard);
[[gnu::cold]] Error bad_buffer(const void* buffer, const char* parameter, MPI_Count count, const Datatype& type);
[[gnu::cold]] Error bad_memory(const void* buffer, const char* parameter);
[[gnu::cold]] Error bad_data(const void* buffer, const char* parameter, MPI_Count count, const Datatype* type,
                             bool in_place);
[[gnu::cold]] Error bad_type(const char* parameter, const Datatype& type);

inline Error check_pointer(const void* pointer, const char* parameter) {
  return pointer ? success : bad_null(parameter);
}

template <class T>
Error check_handle(T* object, int error_class, const char* parameter, const void* handle) {
  return object ? success : bad_handle(error_class, parameter, reinterpret_cast<std::uintptr_t>(handle));
}

// A handle that the call may change or free.
template <class Handle>
Error check_inout_handle(Handle* handle, int error_class, const char* parameter) {
  if (!handle) return bad_null(parameter);
  return find(*handle) ? success : bad_handle(error_class, parameter, reinterpret_cast<std::uintptr_t>(*handle));
}

inline Error check_count(MPI_Count count, const char* parameter, Width width) {
  return count >= 0 ? success : bad_count(count, parameter, width);
}

inline Error check_length(int length, const char* parameter) {
  return length >= 0 ? success : bad_length(length, parameter);
}

inline bool is_rank(int rank, int size) { return static_cast<unsigned>(rank) < static_cast<unsigned>(size); }

inline Error check_dest(int rank, const char* parameter, const Comm& comm) {
  if (is_rank(rank, comm.peers().size()) || rank == MPI_PROC_NULL) return success;
  return bad_rank(ErrorClass::rank, rank, parameter, comm);
}

inline Error check_source(int rank, const char* parameter, const Comm& comm) {
  if (is_rank(rank, comm.peers().size()) || rank == MPI_ANY_SOURCE || rank == MPI_PROC_NULL) return success;
  return bad_rank(ErrorClass::rank, rank, parameter, comm);
}

inline Error check_root(int rank, const char* parameter, const Comm& comm) {
  if (is_rank(rank, comm.peers().size())) return success;
  if (comm.inter() && (rank == MPI_ROOT || rank == MPI_PROC_NULL)) return success;
  return bad_rank(ErrorClass::root, rank, parameter, comm);
}

// MPI_TAG_UB is the largest int.
inline Error check_tag(int tag, const char* parameter) { return tag >= 0 ? success : bad_tag(tag, parameter, false); }
inline Error check_any_tag(int tag, const char* parameter) {
  return tag >= 0 || tag == MPI_ANY_TAG ? success : bad_tag(tag, parameter, true);
}

// Neither null nor one of the constants that stand in the place of a buffer.
inline bool is_address(const void* buffer) {
  return reinterpret_cast<std::uintptr_t>(buffer) > reinterpret_cast<std::uintptr_t>(MPI_BUFFER_AUTOMATIC);
}

// Memory that holds no elements of a type (packed data, say). Whether it may be null is the body's business.
inline Error check_memory(const void* buffer, const char* parameter) {
  if (is_address(buffer)) [[likely]]
    return success;
  return bad_memory(buffer, parameter);
}

// MPI_BOTTOM is the null pointer, so that only types that the program made may go with it.
inline Error check_buffer(const void* buffer, const char* parameter, MPI_Count count, const Datatype& type) {
  if (is_address(buffer)) [[likely]]
    return success;
  return bad_buffer(buffer, parameter, count, type);
}

inline Error check_committed(const Datatype& type, const char* parameter) {
  return type.committed ? success : bad_type(parameter, type);
}

// In collectives: which arguments count at this rank. Those of the send side do not with MPI_IN_PLACE there; some do
// only at the root (on an intercommunicator the root is MPI_ROOT).
inline bool at_root(int root, const Comm& comm) { return comm.inter() ? root == MPI_ROOT : root == comm.rank; }
inline bool in_place(const void* buffer) { return buffer == MPI_IN_PLACE; }

// The blocks of a collective's buffer, one for each rank.
struct Blocks {
  Counts counts;
  int size;
};

inline MPI_Count own_count(Counts counts, const Comm& comm) { return counts[comm.rank]; }

// A buffer of a collective, whose type is null where it is not valid, which the body tells. `in_place` says whether
// MPI_IN_PLACE is allowed here.
inline Error check_data(const void* buffer, const char* parameter, MPI_Count count, const Datatype* type,
                        bool in_place) {
  if (is_address(buffer)) [[likely]]
    return success;
  return bad_data(buffer, parameter, count, type, in_place);
}
[[gnu::cold]] Error bad_blocks(const void* buffer, const char* parameter, Blocks blocks, const Datatype* type,
                               bool in_place);
[[gnu::cold]] Error bad_blocks(const void* buffer, const char* parameter, Blocks blocks, const MPI_Datatype* types,
                               bool in_place);
template <class Type>
Error check_data(const void* buffer, const char* parameter, Blocks blocks, const Type* type, bool in_place) {
  if (is_address(buffer)) [[likely]]
    return success;
  return bad_blocks(buffer, parameter, blocks, type, in_place);
}

[[gnu::noinline]] Error check_counts(Counts counts, int size, const char* parameter, Width width);

// An output of 64 bits for a caller who gave an int: too large a value is MPI_UNDEFINED or an error.
[[gnu::cold]] Error too_large(MPI_Count value, const char* parameter);
inline Error narrow(MPI_Count value, int* out, const char* parameter) {
  if (value != static_cast<int>(value)) return too_large(value, parameter);
  *out = static_cast<int>(value);
  return success;
}
inline Error narrow_or_undefined(MPI_Count value, int* out, const char*) {
  *out = value == static_cast<int>(value) ? static_cast<int>(value) : MPI_UNDEFINED;
  return success;
}

}  // namespace cow::api
