// Snapshots: this process's memory as it is now, kept by the kernel's own copy-on-write in a small process that does
// nothing else. The bytes are read from there afterwards, whatever this process writes, frees or unmaps meanwhile; only
// pages that it writes are copied.
//
// The small process is no child that the program could hear of: it sends no SIGCHLD, wait() does not see it, and it holds
// no descriptor of the program. It ends when the snapshot is released, and when this process ends in whatever way.
//
// Cost, measured: 10 ms for 512 MiB of resident memory (the page tables are copied), then 2 to 2.5 us for each page of
// what it covers that is written while the snapshot lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "runtime/mappings.hpp"
#include "runtime/process_memory.hpp"

namespace cow::runtime {

class Snapshot {
 public:
  enum class Scope : std::uint8_t {
    range,  // only what is asked for; writing other memory meanwhile costs no copies
    all     // all private memory: covers() may be asked for more
  };

  // Takes one. It covers [address, address + size), or the call fails: memory that is shared with other processes, huge
  // pages, files, and what madvise() withholds from children are not covered.
  // Out: one reference for the caller.
  static Error take(const void* address, std::size_t size, Scope scope, Snapshot*& out);

  // Of scope `all`: whether it covers other memory too, which the program has not written since it was taken.
  Error covers(const void* address, std::size_t size) const;

  // One more reference; and drops one. The last does not wait for the process to end.
  void retain() { ++references_; }
  void release();

  // Copies bytes as they were. False when they cannot be had: the process was killed from outside.
  bool read(void* to, const void* address, std::size_t size);

  std::int32_t process() const { return process_; }

  // Bytes of memory that all snapshots together hold and this process does not any more: pages that it has written since.
  // Takes about as long as taking a snapshot.
  static std::size_t held_by_all();

 private:
  Snapshot(std::int32_t process, int lifeline);
  ~Snapshot();
  void await_thinning();
  Error keeps(const std::vector<Range>& ranges) const;

  std::int32_t process_;
  int references_ = 1;                   // under the progress lock
  int lifeline_;                         // the process ends when this is closed, and says on it what it has done
  bool thin_ = false;                    // it is known to have given up what it need not keep
  std::optional<ProcessMemory> memory_;  // since it was first read: that of a neighbour's message never is
};

// Waits for the processes of released snapshots to be gone. Called before the job is left.
void bury_snapshots();

}  // namespace cow::runtime
