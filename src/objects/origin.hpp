// Who made what: for each handle the call of MPI that made it and where the program called, recorded only on request.
//
// Nothing is noted by the calls themselves: the stack tells, whose outermost frame of this library is the exported
// function.
#pragma once

#include <string>

#include "objects/handle.hpp"

namespace cow {

// A call of MPI by the program.
struct Origin {
  const char* call = "";          // "MPI_Isend"; empty when the stack does not tell
  const void* address = nullptr;  // where it returns to
};

// Of the calling thread's present call.
Origin present_origin();

// "main+0x1a2 (a.out)", or "a.out+0x11a9", which addr2line -e a.out takes.
std::string describe_address(const void* address);

// From now on every handle's origin is kept.
void record_origins();

// Of an object with a handle; empty when it was made before record_origins().
Origin origin_of(const Object& object, const void* table);

}  // namespace cow
