// What happens to an object when nobody holds it any longer.
#pragma once

#include "objects/handle.hpp"

namespace cow {

// Drops a reference; true: it was the last one and the object is to be deleted. Never so for a predefined object, which
// is static or belongs to the process: the program can always name it again, however the references were counted.
inline bool drop_reference(Object& object) {
  if (--object.references > 0) return false;
  if (!object.predefined()) return true;
  object.references = 1;  // its own
  return false;
}

}  // namespace cow
