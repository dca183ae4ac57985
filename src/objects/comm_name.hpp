// The name of a communicator in messages.
#pragma once

#include "objects/comm.hpp"

namespace cow {

inline const char* describe(const Comm& comm) {
  return comm.name.empty() ? "a communicator without a name" : comm.name.c_str();
}

}  // namespace cow
