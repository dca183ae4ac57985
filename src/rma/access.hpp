// What an origin does: accesses of a target's memory, as messages, or as copies where that memory is mapped.
#pragma once

#include "objects/datatype.hpp"
#include "objects/op.hpp"
#include "objects/request.hpp"
#include "rma/messages.hpp"
#include "rma/window.hpp"

namespace cow::rma {

struct Buffer {
  void* memory = nullptr;
  MPI_Count count = 0;
  Datatype* type = nullptr;

  MPI_Count bytes() const { return count * type->size; }
};

struct AccessArgs {
  Verb verb;
  Buffer origin;  // what is sent; swap: what to compare with
  Buffer result;  // what comes back
  const void* swap_value = nullptr;
  int rank;
  MPI_Aint displacement;
  MPI_Count count;  // at the target
  Datatype* type;
  Op* op = nullptr;
  bool wants_request = false;
};

// Begins it. `out`, where a request is wanted, has one reference for the caller.
Error begin(Window& window, const AccessArgs& args, Request*& out);
inline Error begin(Window& window, const AccessArgs& args) {
  Request* none;
  return begin(window, args, none);
}

// The answer to an access of this rank.
void take_data(const wire::Rma& head, const std::byte* bytes);

}  // namespace cow::rma
