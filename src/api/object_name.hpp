// Names of objects, as the program gets them.
#pragma once

#include <cstring>

#include "base/error.hpp"

namespace cow::api {

// `out` has room for any name that an object may have. Null handles have names too, those of their constants.
inline Error give_name(const char* name, char* out, int* length) {
  const std::size_t bytes = strlen(name);
  memcpy(out, name, bytes + 1);
  *length = static_cast<int>(bytes);
  return success;
}

}  // namespace cow::api
