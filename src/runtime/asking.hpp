// A program that waits by asking: a loop over MPI_Test, MPI_Iprobe and their like.
//
// Such a loop needs the processor as little as a wait does, and perhaps keeps it from the very rank that it waits for. So
// calls that follow one another at once, and find that nothing moves, give it up as a wait would; but they never sleep,
// since the program has not asked for that. One that works between its calls is not waiting: nothing is given up.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cow::progress {

// poll() for a call that tells what has happened and does not wait. `traffic` is any number that changes when a message
// comes or goes in whatever way: a program between whose calls it has changed does not just wait.
std::size_t poll_asked(std::uint64_t traffic);

// How often such calls have offered the processor to others.
extern std::uint64_t yields_when_asked;

}  // namespace cow::progress
