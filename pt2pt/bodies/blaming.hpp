// Errors of calls that name only a request or a message go to the handler of its communicator.
#pragma once

#include "objects/blame.hpp"
#include "objects/request.hpp"

namespace cow::pt2pt {

inline Error blaming(const Request& request, Error error) {
  if (error) blame(request.comm);
  return error;
}

}  // namespace cow::pt2pt
