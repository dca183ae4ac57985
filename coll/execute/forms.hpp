// The three forms of a collective call, around what makes it ready.
#pragma once

#include "coll/execute/execute.hpp"
#include "coll/prepare/prepare.hpp"
#include "objects/request.hpp"

namespace cow::coll {

// Gives the request its handle.
Error hand_out(Request& request, MPI_Request* out);

// `prepare` is a function of an Operation&.
template <class Prepare>
Error blocking(Prepare prepare) {
  Operation operation;
  if (Error error = prepare(operation)) return error;
  return run_blocking(operation);
}

template <class Prepare>
Error nonblocking(MPI_Request* out, Prepare prepare) {
  Operation operation;
  Request* request;
  if (Error error = prepare(operation)) return error;
  if (Error error = begin(operation, request)) return error;
  return hand_out(*request, out);
}

template <class Prepare>
Error persistent(MPI_Request* out, Prepare prepare) {
  Operation operation;
  Request* request;
  if (Error error = prepare(operation)) return error;
  if (Error error = make_persistent(operation, request)) return error;
  return hand_out(*request, out);
}

}  // namespace cow::coll
