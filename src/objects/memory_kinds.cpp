#include "objects/memory_kinds.hpp"

#include <algorithm>
#include <iterator>

#include "base/settings.hpp"

namespace cow {
namespace {

// What the standard calls parts of the kind "mpi". Memory of these is memory like any other here.
constexpr std::string_view mpi_restrictors[] = {"alloc_mem", "win_allocate", "win_allocate_shared"};

bool is_offered(std::string_view kind) {
  if (!kind.starts_with("mpi:")) return false;
  // Restrictors may follow each other: each of them must be known.
  for (kind.remove_prefix(4); !kind.empty();) {
    const std::size_t end = std::min(kind.find(':'), kind.size());
    const std::string_view one = kind.substr(0, end);
    if (std::find(std::begin(mpi_restrictors), std::end(mpi_restrictors), one) == std::end(mpi_restrictors))
      return false;
    kind.remove_prefix(std::min(end + 1, kind.size()));
  }
  return true;
}

}  // namespace

std::string offered_memory_kinds(std::string_view asked) {
  std::string out = "mpi,system";
  while (!asked.empty()) {
    const std::size_t end = std::min(asked.find(','), asked.size());
    const std::string_view kind = asked.substr(0, end);
    if (is_offered(kind)) (out += ',') += kind;
    asked.remove_prefix(std::min(end + 1, asked.size()));
  }
  return out;
}

std::string offered_memory_kinds() { return offered_memory_kinds(settings().memory_alloc_kinds); }

}  // namespace cow
