// Protocols: the ways a message can go. Each is a value in one table; the choice for a message is made from its shape
// and from what the port can do, and can be printed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "transport/port.hpp"

namespace cow::pt2pt {

enum class Protocol : std::uint8_t { eager, read, write, pipeline };

// What the choice depends on.
struct Shape {
  std::size_t size;         // bytes
  bool sender_contiguous;   // in memory
  bool receiver_contiguous;
};

struct ProtocolInfo {
  Protocol protocol;
  const char* name;
  const char* meaning;
  bool (*applies)(const Shape&, const transport::Port::Limits&, std::size_t eager_limit);
};

// In order of preference; the last applies always.
inline constexpr int protocol_count = 4;
extern const ProtocolInfo protocols[protocol_count];

// The protocol for a message. `forced` is the setting COW_RENDEZVOUS: "auto", "read", "write" or "pipeline"; a forced
// one that does not apply gives way to the pipeline.
Protocol choose(const Shape& shape, const transport::Port::Limits& limits, std::size_t eager_limit);

// Decides from the settings what choose() answers; called once at start.
void decide_protocols();

}  // namespace cow::pt2pt
