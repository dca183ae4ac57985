// The functions of mpix.h that send in a mode of their own.
#pragma GCC visibility push(default)
#include <mpix.h>
#pragma GCC visibility pop

#include "api/mpix_call.hpp"
#include "pt2pt/fast_path.hpp"
#include "pt2pt/persistent.hpp"
#include "pt2pt/send_mode.hpp"
#include "pt2pt/waiting.hpp"

using namespace cow;
using api::word;

namespace {

struct Call {
  const void* buf;
  MPI_Count count;
  MPI_Datatype datatype;
  int dest;
  int tag;
  MPI_Comm comm;
  int mode;
};

Error read_mode(int number, std::optional<BufferRelease>& out) {
  switch (number) {
    case MPIX_SEND_OF_COMM: return success;
    case MPIX_SEND_NOTIFY: out = BufferRelease::notify; return success;
    case MPIX_SEND_COPY: out = BufferRelease::copy; return success;
    case MPIX_SEND_COW: out = BufferRelease::cow; return success;
    case MPIX_SEND_AUTO: out = BufferRelease::automatic; return success;
    default: return fail(ErrorClass::arg, "mode is %d, which is none of MPIX_SEND_OF_COMM to MPIX_SEND_AUTO", number);
  }
}

// Checks what the bindings of MPI_Send check.
Error check(const Call& call, pt2pt::SendArgs& out) {
  using namespace cow::api;
  Datatype* const type = find(call.datatype);
  Comm* const comm = find(call.comm);
  if (Error e = check_handle(type, MPI_ERR_TYPE, "datatype", call.datatype)) return e;
  if (Error e = check_handle(comm, MPI_ERR_COMM, "comm", call.comm)) return e;
  if (Error e = check_count(call.count, "count", Width::large)) return e;
  if (Error e = check_dest(call.dest, "dest", *comm)) return e;
  if (Error e = check_tag(call.tag, "tag")) return e;
  if (Error e = check_buffer(call.buf, "buf", call.count, *type)) return e;
  if (Error e = check_committed(*type, "datatype")) return e;
  out = {call.buf, call.count, type, call.dest, call.tag, comm, comm->context};
  return read_mode(call.mode, out.buffer_release);
}

// begin(args, request) begins a send; its request gets a handle.
template <class Begin>
int run(api::Signature signature, const Call& call, MPI_Request* handle, Begin begin) {
  return api::extension(signature, api::target(call.comm),
                        {word(call.buf), word(call.count), word(call.datatype), word(call.dest), word(call.tag),
                         word(call.comm), word(call.mode), word(handle)},
                        [&]() -> Error {
                          pt2pt::SendArgs args;
                          if (Error error = api::check_pointer(handle, "request")) return error;
                          if (Error error = check(call, args)) return error;
                          Request* request;
                          if (Error error = begin(args, request)) return error;
                          return pt2pt::give_handle(*request, handle);
                        });
}

Error begin_in_mode(const pt2pt::SendArgs& args, Request*& out) {
  return buffer_release_of(args) == BufferRelease::notify ? pt2pt::isend(args, out)
                                                          : pt2pt::isend_giving_back(args, out);
}

}  // namespace

int MPIX_Send_mode(const void* buf, MPI_Count count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm,
                   int mode) {
  return api::extension(
      "MPIX_Send_mode b:buf i:count d:datatype r:dest t:tag c:comm i:mode", api::target(comm),
      {word(buf), word(count), word(datatype), word(dest), word(tag), word(comm), word(mode)}, [&]() -> Error {
        pt2pt::SendArgs args;
        if (Error error = check({buf, count, datatype, dest, tag, comm, mode}, args)) return error;
        if (pt2pt::send_at_once(buf, count, *args.type, dest, tag, *args.comm, args.context)) return success;
        return buffer_release_of(args) == BufferRelease::notify ? pt2pt::send(args) : pt2pt::send_giving_back(args);
      });
}

int MPIX_Isend_mode(const void* buf, MPI_Count count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm, int mode,
                    MPI_Request* request) {
  return run("MPIX_Isend_mode b:buf i:count d:datatype r:dest t:tag c:comm i:mode p:request",
             {buf, count, datatype, dest, tag, comm, mode}, request, begin_in_mode);
}

int MPIX_Send_init_mode(const void* buf, MPI_Count count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm,
                        int mode, MPI_Request* request) {
  return run("MPIX_Send_init_mode b:buf i:count d:datatype r:dest t:tag c:comm i:mode p:request",
             {buf, count, datatype, dest, tag, comm, mode}, request,
             [](const pt2pt::SendArgs& args, Request*& out) { return pt2pt::make_persistent(args, out); });
}
