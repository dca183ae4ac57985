#include "launcher/agent/inheritance.hpp"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/agent_wire.hpp"

namespace cow::launch {
namespace {

constexpr int high_descriptor = 100;  // above those that shell scripts use for themselves

// The same file under a number that no script takes for its own.
int lift(int low) {
  const int high = fcntl(low, F_DUPFD_CLOEXEC, high_descriptor);
  if (high < 0) return low;
  close(low);
  return high;
}

// The job's key as a file in memory.
int open_key(const std::string& key) {
  const int low = memfd_create(key_file, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (low < 0) return -1;
  if (write(low, key.data(), key.size()) != static_cast<ssize_t>(key.size())) return -1;
  fcntl(low, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return lift(low);
}

// The memory that the ranks of this node share: they give it its size.
int open_memory() {
  const int low = memfd_create(memory_file, MFD_CLOEXEC);
  return low < 0 ? -1 : lift(low);
}

}  // namespace

void Inheritance::close() {
  for (int* const fd : {&key_, &memory_}) {
    if (*fd >= 0) ::close(*fd);
    *fd = -1;
  }
}

std::string Inheritance::open(const std::string& key, std::size_t ranks) {
  key_ = open_key(key);
  if (key_ < 0) return std::string("no memory for the job's key: ") + strerror(errno);
  if (ranks > 1) memory_ = open_memory();
  return {};
}

std::vector<std::string> Inheritance::variables() const {
  std::vector<std::string> out{"COW_KEY_FD=" + std::to_string(key_)};
  if (memory_ >= 0) out.push_back("COW_SHM_FD=" + std::to_string(memory_));
  return out;
}

}  // namespace cow::launch
