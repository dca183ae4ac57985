// Send modes: how the buffer of MPI_Send and MPI_Isend (and their persistent forms) is given back to the program. See
// BufferRelease in objects/comm.hpp for what there is; the mode is the communicator's.
#pragma once

#include "pt2pt/pt2pt.hpp"

namespace cow::pt2pt {

// As isend() and send(), for a send whose mode (buffer_release_of) is not `notify`: what is returned is complete, and the
// buffer the program's, unless neither a copy nor a snapshot could be had.
Error isend_giving_back(const SendArgs& args, Request*& out);
Error send_giving_back(const SendArgs& args);

// While one of these exists, the program writes none of its buffers: all sends begun meanwhile share one snapshot.
class SharedSnapshot {
 public:
  SharedSnapshot();
  ~SharedSnapshot();
  SharedSnapshot(const SharedSnapshot&) = delete;
  SharedSnapshot& operator=(const SharedSnapshot&) = delete;
};

// Waits until every byte that such sends owe has left, or its receiver has failed.
void pay_debts();

struct BufferReleaseCounters {
  std::uint64_t copies = 0;      // sends whose message was copied
  std::uint64_t snapshots = 0;   // sends whose message is read from a snapshot
  std::uint64_t shared = 0;      // of these: from one that another send had taken
  std::uint64_t uncovered = 0;   // cow: no snapshot of that memory, or none to be had: copied
  std::uint64_t over_limit = 0;  // no room within COW_COPY_LIMIT for a copy or a snapshot: given back by completion
  std::uint64_t chosen[3] = {};  // auto: notify, copy, cow
  std::uint64_t kept_later = 0;  // of those that went by notify: kept after a while, in a copy or a snapshot
  std::uint64_t lost = 0;        // messages of completed sends that could not be delivered
  std::size_t copied_bytes = 0;  // held in copies now
  std::size_t most_copied_bytes = 0;
};
extern BufferReleaseCounters buffer_release_counters;

}  // namespace cow::pt2pt
