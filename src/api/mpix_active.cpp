// The functions of mpix.h for active messages.
#pragma GCC visibility push(default)
#include <mpix.h>
#pragma GCC visibility pop

#include "api/bodies.hpp"
#include "api/mpix_call.hpp"
#include "api/running.hpp"
#include "objects/comm_name.hpp"
#include "pt2pt/active_fast_path.hpp"

using namespace cow;
using api::word;

static_assert(MPIX_AM_MAX_HEADER == pt2pt::most_header_bytes);

namespace {

// Below this many handlers a tag holds the number.
constexpr int most_handlers = 1 << 22;

Error read_form(int number, pt2pt::Form& out) {
  switch (number) {
    case MPIX_AM_PROGRESS: out = pt2pt::Form::in_progress; return success;
    case MPIX_AM_POOL: out = pt2pt::Form::in_pool; break;
    case MPIX_AM_NEW_THREAD: out = pt2pt::Form::in_own_thread; break;
    default:
      return fail(ErrorClass::arg, "form is %d, which is none of MPIX_AM_PROGRESS to MPIX_AM_NEW_THREAD", number);
  }
  return api::use_progress_thread();
}

Error check_bytes(const void* bytes, const char* parameter) {
  if (Error error = api::check_pointer(bytes, parameter)) return error;
  return api::check_memory(bytes, parameter);
}

Error check(const pt2pt::ActiveArgs& args, MPI_Count size) {
  if (args.handler < 0 || args.handler >= pt2pt::handler_count(*args.comm))
    return fail(ErrorClass::arg, "index is %d, but %s has %d handlers", args.handler, describe(*args.comm),
                pt2pt::handler_count(*args.comm));
  if (args.header_size < 0 || args.header_size > MPIX_AM_MAX_HEADER)
    return fail(ErrorClass::arg, "header_size is %d, expected 0 to %d", args.header_size, MPIX_AM_MAX_HEADER);
  if (size < 0) return api::bad_count(size, "size", api::Width::large);
  if (args.header_size > 0)
    if (Error error = check_bytes(args.header, "header")) return error;
  return size > 0 ? check_bytes(args.payload, "payload") : success;
}

}  // namespace

int MPIX_Am_register(MPI_Comm comm, MPIX_Am_handler* handler, void* state, int form, int* index) {
  return api::extension<runtime::AlwaysGuard>(
      "MPIX_Am_register c:comm p:handler p:state i:form p:index", api::target(comm),
      {word(comm), word(handler), word(state), word(form), word(index)}, [&]() -> Error {
        Comm* const found = find(comm);
        pt2pt::Form how = pt2pt::Form::in_progress;
        if (Error error = api::check_handle(found, MPI_ERR_COMM, "comm", comm)) return error;
        if (Error error = api::check_pointer(index, "index")) return error;
        if (!handler) return fail(ErrorClass::arg, "handler is a null pointer");
        if (pt2pt::handler_count(*found) == most_handlers)
          return fail(ErrorClass::arg, "there are %d handlers already", most_handlers);
        if (Error error = read_form(form, how)) return error;
        *index = pt2pt::add_handler(*found, handler, state, how);
        return body::Barrier(*found);  // nobody sends to it before all have it
      });
}

namespace {

[[gnu::noinline, gnu::cold]] int slow_send(MPI_Comm comm, int dest, int index, const void* header, int header_size,
                                           const void* payload, MPI_Count size) {
  return api::extension(
      "MPIX_Am_send c:comm r:dest i:index p:header i:header_size p:payload i:size", api::target(comm),
      {word(comm), word(dest), word(index), word(header), word(header_size), word(payload), word(size)},
      [&]() -> Error {
        Comm* const found = find(comm);
        if (Error error = api::check_handle(found, MPI_ERR_COMM, "comm", comm)) return error;
        if (Error error = api::check_dest(dest, "dest", *found)) return error;
        const pt2pt::ActiveArgs args{found, dest, index, header, header_size, payload, static_cast<std::size_t>(size)};
        if (Error error = check(args, size)) return error;
        return dest == MPI_PROC_NULL ? success : pt2pt::send_active(args);
      });
}

[[gnu::noinline, gnu::cold]] int slow_reply(const MPIX_Am_message* to, int index, const void* header, int header_size,
                                            const void* payload, MPI_Count size) {
  return api::extension(
      "MPIX_Am_reply p:to i:index p:header i:header_size p:payload i:size", to ? api::target(to->comm) : api::target(),
      {word(to), word(index), word(header), word(header_size), word(payload), word(size)}, [&]() -> Error {
        if (Error error = api::check_pointer(to, "to")) return error;
        Comm* const found = find(to->comm);
        if (Error error = api::check_handle(found, MPI_ERR_COMM, "comm", to->comm)) return error;
        const pt2pt::ActiveArgs args{
            found, to->source, index, header, header_size, payload, static_cast<std::size_t>(size)};
        if (Error error = check(args, size)) return error;
        return pt2pt::reply_active(*to, args);
      });
}

}  // namespace

int MPIX_Am_send(MPI_Comm comm, int dest, int index, const void* header, int header_size, const void* payload,
                 MPI_Count size) {
  if (auto* const link = pt2pt::begin_active(comm, dest, index, {header, header_size, payload, size})) [[likely]]
    return pt2pt::end_short(*link);
  return slow_send(comm, dest, index, header, header_size, payload, size);
}

int MPIX_Am_reply(const MPIX_Am_message* to, int index, const void* header, int header_size, const void* payload,
                  MPI_Count size) {
  if (auto* const link = pt2pt::begin_active_reply(to, index, {header, header_size, payload, size})) [[likely]]
    return pt2pt::end_short(*link);
  return slow_reply(to, index, header, header_size, payload, size);
}
