// Reads another process's memory without changing it: for one that keeps pages which it shares with others.
//
// Not process_vm_readv(): that pins what it reads, for which the kernel first gives a shared page a copy of its own. It
// takes 0.7 to 0.8 ms a MiB of a snapshot, and afterwards the snapshot is in memory a second time; reading /proc/PID/mem
// takes 0.4 to 0.5 ms and leaves the pages shared.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cow::runtime {

class ProcessMemory {
 public:
  explicit ProcessMemory(std::int32_t process);
  ~ProcessMemory();
  ProcessMemory(const ProcessMemory&) = delete;
  ProcessMemory& operator=(const ProcessMemory&) = delete;

  // Copies bytes. 0 or an errno.
  int read(void* to, std::uint64_t from, std::size_t size) const;

 private:
  std::int32_t process_;
  int file_;  // negative where /proc does not show it: then it is read by process_vm_readv()
};

}  // namespace cow::runtime
