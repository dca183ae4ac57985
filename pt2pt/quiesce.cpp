#include "pt2pt/quiesce.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/clock.hpp"
#include "runtime/progress.hpp"
#include "transport/peer.hpp"

namespace cow::pt2pt {
namespace {

using transport::Outgoing;
using transport::Peer;

// What is known between this process and a peer, in messages that cost credits.
struct Account {
  std::uint32_t confirmed = 0;  // of ours, handled there
  std::uint32_t told = 0;       // of its, handled here, as it has been told
};

std::map<const Peer*, Account>& accounts() {
  static auto& all = *new std::map<const Peer*, Account>;
  return all;
}

std::size_t unsent = 0;  // words that wait for the port

void say(Peer& peer, bool wants_answer) {
  auto* word = new Outgoing;
  word->head.kind = wire::Kind::quiesce;
  word->set_extra(wire::Quiesce{.wants_answer = wants_answer, .handled = peer.received});
  word->posted = [](Outgoing& out, Error) {
    --unsent;
    delete &out;
  };
  accounts()[&peer].told = peer.received;
  ++unsent;
  if (transport::post(peer, *word) == transport::Post::done) word->posted(*word, success);
}

void arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Quiesce word;
  if (size != sizeof word) return transport::drop(&peer, head, transport::Drop::body_size);
  memcpy(&word, body, sizeof word);
  Account& account = accounts()[&peer];
  account.confirmed = word.handled;
  if (word.wants_answer && account.told != peer.received) say(peer, false);
}

bool owes_nothing(const Peer& peer) {
  return peer.state != Peer::State::up || accounts()[&peer].confirmed == peer.sent;
}

}  // namespace

void open_quiesce() { transport::set_handler(wire::Kind::quiesce, arrived); }

void leave() {
  progress::wait_until([] { return transport::messages_have_left(); });
  const std::vector<Peer*> peers = transport::known_peers();
  for (Peer* peer : peers) {
    if (peer->state != Peer::State::up) continue;
    if (!owes_nothing(*peer))
      say(*peer, true);
    else if (accounts()[peer].told != peer->received)
      say(*peer, false);
  }
  progress::wait_until(
      [&] { return unsent == 0 && std::all_of(peers.begin(), peers.end(), [](Peer* p) { return owes_nothing(*p); }); });
  // The words themselves. What else may be with the port can be credits for a peer that has ended, which never leave.
  const Nanoseconds limit = now() + second;
  progress::wait_until([=] { return transport::port_is_drained() || now() > limit; });
}

void leave_together() {
  for (Peer* peer : transport::known_peers())
    if (peer->state == Peer::State::up && accounts()[peer].told != peer->received) say(*peer, false);
}

void drain() {
  if (transport::everything_has_left()) return;
  progress::wait_until([] { return transport::everything_has_left(); });
}

}  // namespace cow::pt2pt
