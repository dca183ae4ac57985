#include "objects/info.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/settings.hpp"
#include "objects/last_reference.hpp"
#include "objects/memory_kinds.hpp"
#include "runtime/announced.hpp"

namespace cow {

void InfoEntries::set(std::string_view key, std::string_view value) {
  for (auto& entry : entries)
    if (entry.first == key) {
      entry.second = value;
      return;
    }
  entries.emplace_back(key, value);
}

bool InfoEntries::erase(std::string_view key) {
  return std::erase_if(entries, [&](const auto& entry) { return entry.first == key; }) != 0;
}

Error give_info(InfoEntries entries, MPI_Info* out) {
  auto info = std::make_unique<Info>();
  static_cast<InfoEntries&>(*info) = std::move(entries);
  if (const Error error = table<Info>().insert(*info)) return error;
  *out = handle_of(*info.release());
  return success;
}

Info* copy_info(const Info& info) {
  auto copy = std::make_unique<Info>();
  copy->entries = info.entries;
  return copy.release();
}

void release(Info& info) {
  if (drop_reference(info)) delete &info;
}

namespace {

// The program's path and its arguments, as the kernel keeps them.
void add_command(Info& info) {
  FILE* file = fopen("/proc/self/cmdline", "re");
  if (!file) return;
  std::string words;
  char part[4096];
  for (std::size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) words.append(part, n);
  fclose(file);
  const std::size_t end = words.find('\0');
  if (end == std::string::npos) return;
  const auto limited = [](const std::string& text) { return text.substr(0, MPI_MAX_INFO_VAL - 1); };
  info.set("command", limited(words.substr(0, end)));
  std::string arguments = words.substr(end + 1);
  if (!arguments.empty()) arguments.pop_back();
  std::replace(arguments.begin(), arguments.end(), '\0', ' ');
  if (!arguments.empty()) info.set("argv", limited(arguments));
}

Info* make_env() {
  auto info = std::make_unique<Info>();
  add_command(*info);
  utsname names;
  if (uname(&names) == 0) info->set("arch", names.machine);
  char path[PATH_MAX];
  if (getcwd(path, sizeof path)) info->set("wdir", path);
  char host[HOST_NAME_MAX + 1] = "";
  gethostname(host, sizeof host - 1);
  info->set("host", host);
  if (const int size = runtime::announced_size(); size > 0) info->set("maxprocs", std::to_string(size));
  info->set("mpi_initial_errhandler", settings().initial_errhandler);
  info->set("mpi_memory_alloc_kinds", offered_memory_kinds());
  info->read_only = true;
  return info.release();
}

}  // namespace

Info& info_env() {
  static Info* const env = make_env();  // lives as long as the process
  return *env;
}

}  // namespace cow
