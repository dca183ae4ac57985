// Protocols: the ways a message can go. Each is a row of one table, with when it applies and its verbs; who sends, or takes
// what was offered, chooses a row once and calls its verb. `cowinfo --protocols` prints what is chosen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "transport/peer.hpp"

namespace cow::pt2pt {

struct Send;
struct Receive;

enum class Protocol : std::uint8_t { eager, read, write, pipeline };

// What the choice depends on: the message, …
struct Shape {
  std::size_t size;          // bytes
  bool sender_contiguous;    // in memory
  bool receiver_contiguous;  // yes says the sender, who cannot know
  bool offered = false;      // its data are still at the sender
  bool readable = true;      // of one that is offered: the offer says where its data can be read
};

// … and the way to its peer.
class Route {
 public:
  Route(std::size_t eager_limit, transport::Peer& peer) : eager_limit(eager_limit), peer_(&peer) {}
  Route(std::size_t eager_limit, const transport::Port::Limits& limits) : eager_limit(eager_limit), limits_(&limits) {}

  const std::size_t eager_limit;  // bytes
  // Asked only of what does not go at once: the answer may need a look at the peer.
  const transport::Port::Limits& limits() const {
    return limits_ ? *limits_ : transport::port_of(*peer_).limits(peer_->destination);
  }

 private:
  transport::Peer* peer_ = nullptr;
  const transport::Port::Limits* limits_ = nullptr;
};

struct ProtocolInfo {
  Protocol protocol;
  const char* name;
  const char* meaning;
  bool (*applies)(const Shape&, const Route&);
  void (*begin)(Send&);  // at the sender
  void (*take)(
      Receive&);  // at the receiver, of an offer that was matched: has the data brought. Null: is never offered
};

// In order of preference; the last applies always.
inline constexpr int protocol_count = 4;
extern const ProtocolInfo protocols[protocol_count];

// The rule of the first row, for those who ask before there is a Send.
inline bool fits_eager(std::size_t size, std::size_t eager_limit) { return size <= eager_limit; }

// The protocol for a message: the first row that applies and that COW_RENDEZVOUS permits.
const ProtocolInfo& choose_to_offer(const Shape& shape, const Route& route);
inline const ProtocolInfo& choose(const Shape& shape, const Route& route) {
  if (!shape.offered && fits_eager(shape.size, route.eager_limit)) return protocols[0];
  return choose_to_offer(shape, route);
}

// Decides from the settings what choose() answers; called once at start.
void decide_protocols();

// The largest message, in bytes, that goes at once where the port says nothing else, as COW_EAGER_LIMIT has it.
std::size_t eager_limit_of_settings();

// The verbs.
void begin_eager(Send& send);     // send.cpp
void begin_readable(Send& send);  // rendezvous.cpp: offers it, with where its data are
void begin_offer(Send& send);     // offers it
void take_by_read(Receive& receive);
void take_by_write(Receive& receive);
void take_in_pieces(Receive& receive);

// What choose() answers for every size, as a table for people.
std::string describe_protocols(const Route& route);
std::string explain_protocols();

}  // namespace cow::pt2pt
