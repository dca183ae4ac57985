// A poll of the fastest transport alone, for a wait whose end is expected within a round trip.
#pragma once

#include <cstddef>

namespace cow::progress {

// Set by the transport inside the node; null: there is none.
extern std::size_t (*quick)();

// Whether a poll is under way, as is_polling() says. Set by polls, and by a short path while it delivers a message.
extern bool polling;

// As poll(), but nothing else is looked at, and nothing that was deferred runs.
std::size_t poll_quickly();

}  // namespace cow::progress
