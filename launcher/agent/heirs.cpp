#include "launcher/agent/heirs.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "launcher/core/process.hpp"

namespace cow::launch {
pid_t child_above(pid_t pid) {
  constexpr int deepest = 1000;
  for (int i = 0; i < deepest && pid > 1; ++i) {
    const pid_t parent = parent_of(pid);
    if (parent == getpid()) return pid;
    pid = parent;
  }
  return 0;
}

// From the kernel's own lists: a look at all processes of the machine would take long.
std::vector<pid_t> own_children() {
  std::vector<pid_t> out;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream file(thread.path() / "children");
    for (pid_t pid; file >> pid;) out.push_back(pid);
  }
  return out;
}

bool is_part_of(pid_t pid, const std::string& job, std::uint32_t rank) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  const std::string all = '\0' + std::string(std::istreambuf_iterator<char>(file), {});
  const auto has = [&](const std::string& assignment) {
    return all.find('\0' + assignment + '\0') != std::string::npos;
  };
  return has("PMIX_NAMESPACE=" + job) && has("PMIX_RANK=" + std::to_string(rank));
}

}  // namespace cow::launch
