// Messages that are dropped: bad data from a stranger or a peer is never an error of this process. Each is counted by its
// reason, and told under COW_DROPS=yes.
#pragma once

#include <cstdint>

#include "transport/wire.hpp"

namespace cow::transport {

struct Peer;

enum class Drop : std::uint8_t {
#define COW_DROP(name, text) name,
#include "transport/drop_table.def"
#undef COW_DROP
  count
};
inline constexpr int drop_count = static_cast<int>(Drop::count);

// The one way to drop a message. `peer`: its sender, null where that is not known; so is the kind in a header that could
// not be read (Kind::none).
[[gnu::cold]] void drop(const Peer* peer, const wire::Header& head, Drop reason);

std::uint64_t dropped(Drop reason);
std::uint64_t dropped();  // for any reason

const char* text_of(Drop reason);

}  // namespace cow::transport
