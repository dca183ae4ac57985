#include "rma/apply.hpp"

#include <cstring>

#include "objects/op.hpp"
#include "rma/messages.hpp"

namespace cow::rma {
namespace {

template <class T, class Handle>
T* numbered(unsigned number) {
  return find(reinterpret_cast<Handle>(static_cast<std::uintptr_t>(number)));
}

bool is_attached(const Window& window, std::uint64_t place, std::uint64_t bytes) {
  auto after = window.attached.upper_bound(place);
  if (after == window.attached.begin()) return false;
  --after;
  const std::uint64_t within = place - after->first, size = static_cast<std::uint64_t>(after->second);
  return within <= size && bytes <= size - within;
}

// Elements as arithmetic wants them, in aligned memory: types that have gaps get them.
struct alignas(64) Elements {
  std::byte bytes[2 * most_bytes];

  void fill(const Datatype& type, const std::byte* packed, std::size_t size) {
    unpack(type, bytes, static_cast<MPI_Count>(size) / type.size, 0, packed, static_cast<MPI_Count>(size));
  }
  void empty(const Datatype& type, std::byte* packed, std::size_t size) const {
    pack(type, bytes, static_cast<MPI_Count>(size) / type.size, 0, packed, static_cast<MPI_Count>(size));
  }
};

}  // namespace

bool find_places(Window& window, const wire::Rma& head, const std::byte* runs, Places& out) {
  out.resize(head.runs);
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < head.runs; ++i) {
    wire::RmaRun run;
    memcpy(&run, runs + i * sizeof run, sizeof run);
    const auto size = static_cast<std::uint64_t>(window.size);
    if (run.bytes > most_bytes) return false;
    if (window.dynamic() ? !is_attached(window, run.place, run.bytes)
                         : run.place > size || run.bytes > size - run.place)
      return false;
    std::byte* const from = window.dynamic() ? nullptr : static_cast<std::byte*>(window.base);
    out[i] = {reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(from) + run.place), run.bytes};
    bytes += run.bytes;
  }
  return bytes == head.bytes;
}

void gather(const Places& places, std::byte* out) {
  for (const Place& place : places) {
    memcpy(out, place.memory, place.bytes);
    out += place.bytes;
  }
}

void scatter(const Places& places, const std::byte* in) {
  for (const Place& place : places) {
    memcpy(place.memory, in, place.bytes);
    in += place.bytes;
  }
}

bool accumulate(const Places& places, const wire::Rma& head, const std::byte* data, std::size_t size) {
  Datatype* const type = numbered<Datatype, MPI_Datatype>(head.type);
  Op* const op = numbered<Op, MPI_Op>(head.op);
  if (op && op == find(MPI_NO_OP)) return true;
  if (!type || !op || size != head.bytes || type->size <= 0 || size % static_cast<std::size_t>(type->size) != 0)
    return false;
  if (op == find(MPI_REPLACE)) return scatter(places, data), true;
  Op::Function function = nullptr;
  if (!op->select || !(function = op->select(*type))) return false;
  Elements own, other;
  std::byte packed[most_bytes];
  gather(places, packed);
  own.fill(*type, packed, size);
  other.fill(*type, data, size);
  function(other.bytes, own.bytes, static_cast<MPI_Count>(size) / type->size);
  own.empty(*type, packed, size);
  scatter(places, packed);
  return true;
}

bool compare_and_swap(const Places& places, const wire::Rma& head, const std::byte* data, std::size_t size) {
  if (places.size() != 1 || size != std::size_t{2} * head.bytes) return false;
  if (memcmp(places[0].memory, data, head.bytes) == 0) scatter(places, data + head.bytes);
  return true;
}

}  // namespace cow::rma
