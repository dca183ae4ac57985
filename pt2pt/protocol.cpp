#include "pt2pt/protocol.hpp"

#include "base/settings.hpp"

namespace cow::pt2pt {
namespace {

using Limits = transport::Port::Limits;

bool is_eager(const Shape& shape, const Limits&, std::size_t eager_limit) { return shape.size <= eager_limit; }

bool one_run(const Shape& shape, const Limits& limits) {
  return shape.sender_contiguous && shape.receiver_contiguous && shape.size >= limits.remote_threshold;
}

bool can_read(const Shape& shape, const Limits& limits, std::size_t) { return limits.read && one_run(shape, limits); }

bool can_write(const Shape& shape, const Limits& limits, std::size_t) { return limits.write && one_run(shape, limits); }

bool always(const Shape&, const Limits&, std::size_t) { return true; }

bool read_allowed = true;
bool write_allowed = true;

}  // namespace

const ProtocolInfo protocols[protocol_count] = {
    {Protocol::eager, "eager", "sent at once; kept at the receiver until a receive matches", is_eager},
    {Protocol::read, "read", "offered; the receiver reads it from the sender's memory", can_read},
    {Protocol::write, "write", "offered; the sender writes it to the receiver's memory", can_write},
    {Protocol::pipeline, "pipeline", "offered; sent in pieces when the receiver asks", always},
};

Protocol choose(const Shape& shape, const Limits& limits, std::size_t eager_limit) {
  for (const ProtocolInfo& info : protocols) {
    if (info.protocol == Protocol::read && !read_allowed) continue;
    if (info.protocol == Protocol::write && !write_allowed) continue;
    if (info.applies(shape, limits, eager_limit)) return info.protocol;
  }
  return Protocol::pipeline;
}

void decide_protocols() {
  const std::string& forced = settings().rendezvous;
  read_allowed = forced == "auto" || forced == "read";
  write_allowed = forced == "auto" || forced == "write";
}

}  // namespace cow::pt2pt
