// Between which calls MPI may be used: what MPI_Init, MPI_Finalize and sessions tell the bindings.
#pragma once

#include <cstdint>

namespace cow::api {

// Read by every binding, before anything else. Written under the progress lock while no other thread may call.
enum class Mode : std::uint8_t {
  not_running,  // before the first start, after the last end, or in a forked process: most calls are refused
  checked,      // running; arguments are checked
  unchecked,    // running; COW_CHECKS=no
};
extern Mode mode;

// This process was forked from a rank after MPI had started. It has copies of all descriptors and of the state of the
// connections behind them, but what it sent would be garbled with what the rank sends, and what it received would be lost
// to the rank. So it is no rank: MPI is over in it.
extern bool forked;

// The world model: MPI_Init or MPI_Init_thread has succeeded on the calling thread, with this level; MPI_Finalize has.
void world_started(int thread_level);
void world_ended();
bool world_was_started();
bool world_was_ended();
bool world_is_running();  // started and not ended
int thread_level();       // what world_started() or the first session was told
bool is_main_thread();    // the caller called MPI_Init

// Sessions: each MPI_Session_init and MPI_Session_finalize that has succeeded.
void session_started(int thread_level);
void session_ended();

// Has `forked` set in the processes that are forked from now on.
void watch_forks();

}  // namespace cow::api
