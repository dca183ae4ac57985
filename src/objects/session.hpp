// Sessions: uses of the library that begin and end by themselves. What is made from a session remembers it by its
// handle, in the group; a session that has ended is then simply not found.
#pragma once

#include <string>

#include "objects/objects.hpp"

namespace cow {

struct CommExtension;

struct Session : Object {
  Errhandler* errhandler = nullptr;  // referenced
  int thread_level = MPI_THREAD_SINGLE;
  std::string memory_kinds;         // those offered
  CommExtension* buffer = nullptr;  // owned: pt2pt's, for buffered sends
};

inline Session* find_session(std::uintptr_t handle) { return handle ? table<Session>().find(handle) : nullptr; }

}  // namespace cow
