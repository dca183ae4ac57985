#include "objects/strict.hpp"

#include <cstdio>
#include <mutex>
#include <set>

#include "runtime/job.hpp"

namespace cow {

void tell_once(const std::string& text) {
  static std::mutex mutex;
  static auto& told = *new std::set<std::string>;  // as long as the process: it may end while another thread calls
  const std::lock_guard lock(mutex);
  if (told.insert(text).second) fprintf(stderr, "cow: rank %d: %s\n", runtime::job().rank, text.c_str());
}

}  // namespace cow
