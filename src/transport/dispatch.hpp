// Between the files of src/transport that deliver messages: the handlers by kind, and what the header's credits mean.
#pragma once

#include "transport/peer.hpp"

namespace cow::transport {

extern Handler handlers[static_cast<int>(wire::Kind::count)];

inline bool has_handler(wire::Kind kind) { return kind >= wire::Kind::credit && kind < wire::Kind::count; }

// A message that is admitted and whose turn it is.
inline void dispatch(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  note_received(peer, head);
  handlers[static_cast<int>(head.kind)](peer, head, body, size);
}

}  // namespace cow::transport
