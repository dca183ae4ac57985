// A window: what every rank knows of the memory of all, who may access what now, and what is under way.
//
// All under the progress lock. Everything that a rank asks of another is a message of the kind `rma`, handled in progress
// at once and in the order posted. So accumulates are atomic and ordered, and the answer to a flush says that everything
// before it was done.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "objects/comm.hpp"
#include "objects/win.hpp"
#include "runtime/progress.hpp"
#include "transport/peer.hpp"
#include "transport/shm/shared_file.hpp"

namespace cow::rma {

// What a rank has told the others at the making.
struct Part {
  MPI_Aint size = 0;
  MPI_Count disp_unit = 1;
  std::uint32_t node = 0;
  std::uint32_t failed = 0;  // it could not do its part
};

enum class Lock : std::uint8_t { none, shared, exclusive };

// What this rank, as an origin, knows of a target.
struct Target {
  std::byte* mapped = nullptr;  // its memory, where this process sees it
  Lock lock = Lock::none;       // that this rank holds
  bool no_check = false;        // it holds the lock without having asked
  bool started = false;         // within MPI_Win_start … MPI_Win_complete
  bool dirty = false;           // messages went there that no answer has confirmed
  std::uint32_t under_way = 0;  // accesses that are not complete here
  std::uint32_t posts = 0;      // MPI_Win_post calls of it that no MPI_Win_start has taken up
  std::uint32_t awaited = 0;    // answers to come: of a lock, an unlock or a flush
  std::uint32_t completes = 0;  // MPI_Win_complete calls of it, that no MPI_Win_wait has taken up
};

// A lock of this rank's memory.
struct Door {
  struct Waiting {
    int origin;
    Lock lock;
  };
  int shared = 0;
  bool exclusive = false;
  std::deque<Waiting> waiting;
};

struct Window : Win {
  std::vector<Part> parts;
  std::vector<Target> targets;
  std::map<std::uintptr_t, MPI_Aint> attached;  // of dynamic windows: base and size
  transport::shm::SharedFile shared;
  std::unique_ptr<std::byte[]> own_memory;  // of MPI_Win_allocate, where nothing is shared
  Door door;
  std::vector<int> exposed_to;  // the group of MPI_Win_post
  bool exposed = false;
  std::vector<int> accessing;  // the group of MPI_Win_start
  bool started = false;
  bool fenced = false;  // between fences
  bool locked_all = false;
  bool all_unchecked = false;                  // by MPI_MODE_NOCHECK
  int locks = 0;                               // of single targets, held
  std::map<int, std::uint32_t> door_refusals;  // by origin: its accesses that reached no memory here, not yet told
  std::uint32_t refused = 0;                   // accesses that reached no memory of the target, as told by it

  bool dynamic() const { return flavor == MPI_WIN_FLAVOR_DYNAMIC; }
  Part& part(int rank) { return parts[static_cast<std::size_t>(rank)]; }
  Target& target(int rank) { return targets[static_cast<std::size_t>(rank)]; }
};

inline Window& window_of(Win& win) { return static_cast<Window&>(win); }
Window* find_window(std::uint64_t context);

// ---- making and freeing (collective)

struct Making {
  int flavor;
  void* base;  // of MPI_Win_create
  MPI_Aint size;
  MPI_Count disp_unit;
  const Info* info;
};
Error make_window(Comm& comm, const Making& making, Window*& out);
Error free_window(Window& window);

Error barrier(Window& window);
const char* describe(const Window& window);

// Waits until done(), or until that rank has failed.
template <class Done>
Error wait_for(Window& window, int rank, Done done) {
  transport::Peer* const peer =
      rank == window.comm->rank ? nullptr : &transport::peer_of(window.comm->group->process(rank));
  progress::wait_until([&] { return done() || (peer && peer->state == transport::Peer::State::failed); });
  return done() ? success : transport::failure_of(*peer);
}

}  // namespace cow::rma
