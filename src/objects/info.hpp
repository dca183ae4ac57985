// Info: a list of keys and values, in the order in which keys were first set.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objects/objects.hpp"

namespace cow {

struct InfoEntries {
  std::vector<std::pair<std::string, std::string>> entries;

  const std::string* get(std::string_view key) const {
    for (const auto& entry : entries)
      if (entry.first == key) return &entry.second;
    return nullptr;
  }
  void set(std::string_view key, std::string_view value);
  bool erase(std::string_view key);
};

struct Info : Object, InfoEntries {
  bool read_only = false;  // MPI_INFO_ENV
};

// A new info of the program's, with these entries.
Error give_info(InfoEntries entries, MPI_Info* out);
// Without a handle: for hints that an object owns.
Info* copy_info(const Info& info);

inline void retain(Info& info) { ++info.references; }
void release(Info& info);

// MPI_INFO_ENV: how this process was started ("command", "argv", "arch", "wdir", "host", "maxprocs",
// "mpi_initial_errhandler", "mpi_memory_alloc_kinds"). All of it is known from before the start, so that it says the same at any time; but a few
// launchers tell "maxprocs" only to those who have joined the job.
Info& info_env();

}  // namespace cow
