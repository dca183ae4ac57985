// Info: a list of keys and values, in the order in which keys were first set.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objects/objects.hpp"

namespace cow {

struct Info : Object {
  std::vector<std::pair<std::string, std::string>> entries;
  bool read_only = false;  // MPI_INFO_ENV

  const std::string* get(std::string_view key) const {
    for (const auto& entry : entries)
      if (entry.first == key) return &entry.second;
    return nullptr;
  }
  void set(std::string_view key, std::string_view value);
  bool erase(std::string_view key);
};

// A new info with a handle.
Error create_info(Info*& out);
// Without a handle: for hints that an object owns.
Info* copy_info(const Info& info);

inline void retain(Info& info) { ++info.references; }
void release(Info& info);

// MPI_INFO_ENV: how this process was started. The runtime sets the keys it knows ("command", "argv", "maxprocs",
// "soft", "host", "arch", "wdir", "file", "thread_level"); "arch", "wdir" and "command" are there without it.
Info& info_env();

}  // namespace cow
