// Windows, as far as handles, names, attributes and error handlers go. What one-sided communication hangs on them is
// src/rma's, which derives from it.
#pragma once

#include <string>

#include "objects/attribute.hpp"
#include "objects/objects.hpp"

namespace cow {

struct Win : Object {
  Comm* comm = nullptr;              // owned: a communicator of the window's own, without a handle
  Errhandler* errhandler = nullptr;  // referenced
  Info* info = nullptr;              // hints; owned, may be null
  Attributes attributes;
  std::string name;

  // The values of the predefined attributes, whose addresses programs are given.
  void* base = nullptr;
  MPI_Aint size = 0;
  int disp_unit = 1;
  int flavor = MPI_WIN_FLAVOR_CREATE;
  int model = MPI_WIN_UNIFIED;
};

}  // namespace cow
