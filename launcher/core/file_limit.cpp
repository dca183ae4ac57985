#include "launcher/core/file_limit.hpp"

#include <sys/resource.h>

namespace cow::launch {
namespace {

rlimit users{};
bool raised = false;

}  // namespace

void raise_file_limit() {
  rlimit limit;
  if (raised || getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  users = limit;
  limit.rlim_cur = limit.rlim_max;
  raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

void restore_file_limit() {
  if (raised) setrlimit(RLIMIT_NOFILE, &users);
}

std::string lack_of_files(std::size_t needed, const std::string& who, const std::string& why) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || needed <= limit.rlim_cur) return {};
  return who + " needs " + std::to_string(needed) + " descriptors for " + why + ", but may have no more than " +
         std::to_string(limit.rlim_cur) + " open (the hard limit, ulimit -Hn)";
}

}  // namespace cow::launch
