#include "api/checks.hpp"

#include <unistd.h>

#include "api/report.hpp"
#include "api/text.hpp"

namespace cow::api {
namespace {

// What each class of handle is called.
const char* noun(int error_class) {
  switch (error_class) {
    case MPI_ERR_COMM: return "communicator";
    case MPI_ERR_TYPE: return "datatype";
    case MPI_ERR_OP: return "operation";
    case MPI_ERR_GROUP: return "group";
    case MPI_ERR_INFO: return "info object";
    case MPI_ERR_ERRHANDLER: return "error handler";
    case MPI_ERR_WIN: return "window";
    case MPI_ERR_FILE: return "file";
    case MPI_ERR_SESSION: return "session";
    default: return "object";
  }
}

}  // namespace

Error refuse_call() {
  if (forked)
    return fail(ErrorClass::other,
                "called in process %d, which the program forked from this rank: only the rank itself may",
                static_cast<int>(getpid()));
  if (world_was_ended()) return fail(ErrorClass::other, "called after MPI_Finalize");
  return fail(ErrorClass::other, "called before MPI_Init");
}

void prepare_early_call() { register_predefined(); }

Error bad_handle(int error_class, const char* parameter, std::uintptr_t handle) {
  if (handle == 0) return fail(error_class, "%s is zero, not a handle: was it ever set?", parameter);
  if (error_class == MPI_ERR_COMM && (handle == reinterpret_cast<std::uintptr_t>(MPI_COMM_WORLD) ||
                                      handle == reinterpret_cast<std::uintptr_t>(MPI_COMM_SELF)))
    return fail(error_class, "%s is %s, which there is between MPI_Init and MPI_Finalize only", parameter,
                predefined_name(handle));
  if (const char* name = predefined_name(handle))
    return fail(
        error_class, "%s is %s, where %s %s is needed", parameter, name,
        error_class == MPI_ERR_OP || error_class == MPI_ERR_INFO || error_class == MPI_ERR_ERRHANDLER ? "an" : "a",
        noun(error_class));
  return fail(error_class, "%s is no %s: it was freed, or never was one", parameter, noun(error_class));
}

Error bad_null(const char* parameter) { return fail(ErrorClass::arg, "%s is a null pointer", parameter); }

Error bad_count(MPI_Count count, const char* parameter, Width width) {
  return fail(ErrorClass::count, "%s is negative: %lld%s", parameter, static_cast<long long>(count),
              width == Width::small ? " (a count over 2147483647 needs the _c form of the call)" : "");
}

Error bad_length(int length, const char* parameter) {
  return fail(ErrorClass::arg, "%s is negative: %d", parameter, length);
}

Error bad_rank(ErrorClass error_class, int rank, const char* parameter, const Comm& comm) {
  const int size = comm.peers().size();
  if (rank == MPI_ANY_SOURCE || rank == MPI_PROC_NULL || rank == MPI_ROOT) {
    const char* name = rank == MPI_ANY_SOURCE ? "MPI_ANY_SOURCE" : rank == MPI_ROOT ? "MPI_ROOT" : "MPI_PROC_NULL";
    return fail(error_class, "%s is %s, which is not allowed here", parameter, name);
  }
  return fail(error_class, "rank %d does not exist: %s has %d rank%s%s", rank, name_of(comm), size,
              size == 1 ? "" : "s", comm.inter() ? " in its remote group" : "");
}

Error bad_tag(int tag, const char* parameter, bool wildcard) {
  if (tag == MPI_ANY_TAG) return fail(ErrorClass::tag, "%s is MPI_ANY_TAG, which is for receiving only", parameter);
  return fail(ErrorClass::tag, "%s is %d: a tag is between 0 and 2147483647%s", parameter, tag,
              wildcard ? ", or MPI_ANY_TAG" : "");
}

Error bad_memory(const void* buffer, const char* parameter) {
  if (buffer == MPI_IN_PLACE)
    return fail(ErrorClass::buffer, "%s is MPI_IN_PLACE, which is for collectives", parameter);
  if (buffer == MPI_BUFFER_AUTOMATIC)
    return fail(ErrorClass::buffer, "%s is MPI_BUFFER_AUTOMATIC, which is for attaching buffers", parameter);
  return success;
}

Error bad_buffer(const void* buffer, const char* parameter, MPI_Count count, const Datatype& type) {
  if (Error error = bad_memory(buffer, parameter)) return error;
  if (count == 0 || !type.predefined()) return success;
  return fail(ErrorClass::buffer, "%s is a null pointer, but there are %lld element%s of %s", parameter,
              static_cast<long long>(count), count == 1 ? "" : "s", describe(type));
}

Error bad_data(const void* buffer, const char* parameter, MPI_Count count, const Datatype* type, bool in_place) {
  if (buffer == MPI_IN_PLACE) {
    if (in_place) return success;
    return fail(ErrorClass::buffer, "%s is MPI_IN_PLACE, which has no meaning there", parameter);
  }
  return type ? bad_buffer(buffer, parameter, count, *type) : success;
}

Error bad_blocks(const void* buffer, const char* parameter, Blocks blocks, const Datatype* type, bool in_place) {
  if (buffer == MPI_IN_PLACE) return bad_data(buffer, parameter, 0, type, in_place);
  MPI_Count count = 0;
  for (int i = 0; i < blocks.size && count == 0; ++i) count = blocks.counts[i];
  return bad_data(buffer, parameter, count, type, in_place);
}

Error bad_blocks(const void* buffer, const char* parameter, Blocks, const MPI_Datatype*, bool in_place) {
  if (buffer == MPI_IN_PLACE) return bad_data(buffer, parameter, 0, nullptr, in_place);
  return success;  // the displacements may be addresses, and the buffer MPI_BOTTOM; the body looks at the types
}

Error bad_type(const char* parameter, const Datatype& type) {
  return fail(ErrorClass::type, "%s (%s) has not been committed with MPI_Type_commit", parameter, describe(type));
}

Error check_counts(Counts counts, int size, const char* parameter, Width width) {
  if (!counts) return size == 0 ? success : bad_null(parameter);
  for (int i = 0; i < size; ++i) {
    if (counts[i] >= 0) continue;
    return fail(ErrorClass::count, "%s[%d] is negative: %lld%s", parameter, i, static_cast<long long>(counts[i]),
                width == Width::small ? " (a count over 2147483647 needs the _c form of the call)" : "");
  }
  return success;
}

Error too_large(MPI_Count value, const char* parameter) {
  return fail(ErrorClass::value_too_large, "%s would be %lld, more than an int holds: use the _c form of the call",
              parameter, static_cast<long long>(value));
}

}  // namespace cow::api
