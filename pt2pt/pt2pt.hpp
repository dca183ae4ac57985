// Point-to-point communication, as the bindings and the collectives see it.
//
// All calls are made under the progress lock. Arguments have been checked. Buffers, types and communicators stay valid
// until the request has completed; the engine takes its own references.
#pragma once

#include <cstdint>
#include <optional>

#include "objects/comm.hpp"
#include "objects/datatype.hpp"
#include "objects/request.hpp"

namespace cow::pt2pt {

enum class SendMode : std::uint8_t { standard, synchronous, ready, buffered };

struct SendArgs {
  const void* buffer;
  MPI_Count count;
  Datatype* type;
  int rank;  // destination in comm->peers(), or MPI_PROC_NULL
  int tag;
  Comm* comm;
  std::uint64_t context;  // comm->context, or comm->context | 1 for a collective's messages
  SendMode mode = SendMode::standard;
  std::optional<BufferRelease> buffer_release{};  // of this standard send; none: the communicator's
};

inline BufferRelease buffer_release_of(const SendArgs& args) {
  return args.buffer_release.value_or(args.comm->buffer_release);
}

struct RecvArgs {
  void* buffer;
  MPI_Count count;
  Datatype* type;
  int rank;  // source in comm->peers(), MPI_ANY_SOURCE or MPI_PROC_NULL
  int tag;   // or MPI_ANY_TAG
  Comm* comm;
  std::uint64_t context;
};

// Begins a send or a receive. `out` is a request with one reference for the caller (drop it with release()); it may be
// complete already. On an error nothing was begun and `out` is null.
Error isend(const SendArgs& args, Request*& out);
Error irecv(const RecvArgs& args, Request*& out);

// The blocking forms: no request is allocated. A receive's error (truncation, say) is returned; status may be null.
Error send(const SendArgs& args);
Error recv(const RecvArgs& args, MPI_Status* status);
Error recv_by_engine(const RecvArgs& args, MPI_Status* status);  // for who has tried the short path already

// Waits until the request is complete, drops the caller's reference and returns the operation's error.
Error wait(Request& request, MPI_Status* status = nullptr);
// Instead: the caller's memory will be gone. Takes the message back, or waits until it has come or left; lets the caller's
// reference go.
void give_up(Request& request);

}  // namespace cow::pt2pt
