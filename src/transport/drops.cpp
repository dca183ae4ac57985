#include "transport/drops.hpp"

#include <cstdio>
#include <numeric>
#include <string>

#include "base/settings.hpp"
#include "runtime/job.hpp"
#include "transport/peer.hpp"

namespace cow::transport {
namespace {

constexpr const char* texts[] = {
#define COW_DROP(name, text) text,
#include "transport/drop_table.def"
#undef COW_DROP
};

constexpr std::uint64_t most_told = 5;  // for each reason: a stranger shall not fill anybody's disk

std::uint64_t counts[drop_count];

std::string name_of(const Peer* peer) { return peer ? "rank " + std::to_string(peer->process) : "an unknown sender"; }

void tell(const Peer* peer, const wire::Header& head, Drop reason, bool last) {
  fprintf(stderr, "cow: rank %d: dropped a message of kind %u from %s: %s%s\n", runtime::job().rank,
          static_cast<unsigned>(head.kind), name_of(peer).c_str(), text_of(reason),
          last ? " (further ones for this reason are only counted)" : "");
}

}  // namespace

void drop(const Peer* peer, const wire::Header& head, Drop reason) {
  const std::uint64_t count = ++counts[static_cast<int>(reason)];
  if (settings().drops && count <= most_told) tell(peer, head, reason, count == most_told);
}

std::uint64_t dropped(Drop reason) { return counts[static_cast<int>(reason)]; }

std::uint64_t dropped() { return std::accumulate(counts, counts + drop_count, std::uint64_t{0}); }

const char* text_of(Drop reason) { return texts[static_cast<int>(reason)]; }

}  // namespace cow::transport
