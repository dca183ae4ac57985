// What ranks tell each other of a window: messages of the kind `rma`, handled in progress at once and in the order posted.
#pragma once

#include <cstdint>

#include "rma/window.hpp"
#include "transport/wire.hpp"

namespace cow::rma {

enum class Verb : std::uint8_t {
  put,
  get,  // answered by data
  accumulate,
  get_accumulate,  // answered by data
  swap,            // compare and swap, of one element: what to compare with, the new value; answered by data
  data,            // the answer; without any where the runs lie outside of the memory
  post,            // MPI_Win_post: the receiver may access the sender's memory
  complete,        // MPI_Win_complete: it accesses it no longer
  lock_shared,     // answered by granted, once it is
  lock_exclusive,
  granted,
  unlock,    // answered by unlocked, when all before it is done
  flush,     // answered by flushed
  answered,  // to unlock and flush: `bytes` accesses since the last answer had no memory to go to
  count
};

// Registers the handler, at the first window.
void open_messages();

// Tells a rank, this one too, something that has neither runs nor data.
void tell(Window& window, int rank, Verb verb);

// Does at this rank what a message from `origin` asks. False: it makes no sense.
bool handle(Window& window, int origin, const wire::Rma& head, const std::byte* rest, std::size_t size);

// Room for the data of one message, and for its runs.
inline constexpr std::size_t most_bytes = 8192;
inline constexpr int most_runs = 256;

}  // namespace cow::rma
