// Persistent sends and receives: made once, started many times.
#pragma once

#include "pt2pt/pt2pt.hpp"

namespace cow::pt2pt {

// `out` is inactive; start() begins it. One reference, for the caller.
Error make_persistent(const SendArgs& args, Request*& out);
Error make_persistent(const RecvArgs& args, Request*& out);

// Begins an inactive persistent request of any kind.
Error start(Request& request);

}  // namespace cow::pt2pt
