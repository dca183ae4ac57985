// The table of providers, as data.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cow::transport::ofi {

struct Library;

enum class Wait { none, descriptor, stale };

struct Provider {
  const char* name;
  bool automatic;
  bool one_node;
  bool ip;
  bool multi_receive;
  Wait wait;
  bool read;
  bool write;
  bool garbage;
  std::size_t threshold;
  std::size_t piece;
  std::size_t memory_kib;
  const char* notes;
};

std::span<const Provider> providers();

// Null when there is no such row.
const Provider* find_provider(std::string_view name);

// Asks libfabric whether the provider can be opened here.
bool available(const Library& library, const Provider& provider);

// "net, tcp;ofi_rxm, shm": for messages.
std::string available_names(const Library& library);

}  // namespace cow::transport::ofi
