// Reduction operations.
#pragma once

#include <cstdint>

#include "objects/datatype.hpp"
#include "objects/objects.hpp"

namespace cow {

struct Op : Object {
  // in and inout do not overlap; inout = in op inout, element by element.
  using Function = void (*)(const void* in, void* inout, MPI_Count count);
  // How a program's function is called: a language or a foreign ABI gives a trampoline of its own.
  using Trampoline = void (*)(void* function, const void* in, void* inout, MPI_Count count, Datatype& type);

  bool commutative = true;
  const char* name = "a user-defined operation";
  const char* takes = "";                         // predefined: the types it works on, in words
  Function (*select)(const Datatype&) = nullptr;  // predefined: the function for a type; null where not allowed
  Trampoline trampoline = nullptr;                // user-defined
  void* function = nullptr;
};

Error create_op(Op::Trampoline trampoline, void* function, bool commutative, Op*& out);

inline void retain(Op& op) { ++op.references; }
void release(Op& op);

// An error when the operation does not work on the type; the message names both.
Error check_op(const Op& op, const Datatype& type);
// And what it is then done by; null: by the program's function.
Error check_op(const Op& op, const Datatype& type, Op::Function& out);

// inout = in op inout for `count` elements.
Error reduce_local(Op& op, Datatype& type, const void* in, void* inout, MPI_Count count);

// The C trampolines.
void call_c_op(void* function, const void* in, void* inout, MPI_Count count, Datatype& type);        // int counts
void call_c_op_large(void* function, const void* in, void* inout, MPI_Count count, Datatype& type);  // MPI_Count

}  // namespace cow
