// A program that waits by asking: a loop over MPI_Test, MPI_Iprobe and their like.
//
// Such a loop needs the processor as little as a wait does, and perhaps keeps it from the very rank that it waits for.
// So calls that follow one another at once, and find that nothing moves, give it up as a wait would; but they never
// sleep, since the program has not asked for that. One that works between its calls is not waiting: it keeps it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/progress.hpp"

namespace cow::progress {

// Calls in a row. The first of them only count, so that a program that is served soon, or works between its calls, pays
// for no look at a clock.
struct Asking {
  unsigned free_left = 0;     // so many more only count
  unsigned free = 2;          // so many do in a row
  unsigned prompt = 0;        // of the others: so many, in a row, came at once after the one before
  std::uint64_t traffic = 0;  // as of the last of the others
  Nanoseconds left = 0;       // when that one returned; 0: there was none
  Wait wait;
};

extern Asking asking;  // at MPI_THREAD_MULTIPLE each thread has its own instead
std::size_t poll_asked_again(std::uint64_t traffic);

// poll() for a call that tells what has happened and does not wait. `traffic` is any number that changes when a message
// comes or goes in whatever way: a program between whose calls it has changed does not just wait.
inline std::size_t poll_asked(std::uint64_t traffic) {
  if (__builtin_expect(asking.free_left == 0, 0)) return poll_asked_again(traffic);
  --asking.free_left;
  return poll();
}

// How often such calls have offered the processor to others.
extern std::uint64_t yields_when_asked;

}  // namespace cow::progress
