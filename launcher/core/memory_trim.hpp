// The memory of a launcher that has started its job, and from now on does little but wait.
#pragma once

#include "launcher/core/time.hpp"

namespace cow::launch {

// Gives back what the start needed and nothing after it does: free memory, and the pages of code and constants, of which
// the few that are wanted again come back from the page cache at a microsecond each.
void give_back_memory();

// When to do it: jobs that are over by then do not pay for it.
inline constexpr Duration settled_after = 200ms;

// From the beginning: threads share one heap, so that what one of them frees is of use to all.
void keep_one_heap();

}  // namespace cow::launch
