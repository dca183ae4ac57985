#include "transport/connect.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "base/settings.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/job.hpp"
#include "runtime/progress.hpp"
#include "transport/reachability.hpp"

namespace cow::transport {

Self self;
bool connections_pending = false;

// What is needed until the peer is up.
struct Connecting {
  std::vector<Candidate> candidates;
  std::vector<Destination> reached;  // of each candidate, as far as tried
  std::size_t attempt = 0;           // the candidate in use
  std::uint64_t nonce = 0;           // the peer's
  Nanoseconds retry_at = progress::Source::no_deadline;
  Nanoseconds patience = 0;             // how long to wait for the next answer
  bool greeted = false;                 // the candidate in use has been written to
  Nanoseconds probe_at = 0;             // when to find out whether anything listens at the candidates
  std::unique_ptr<Reachability> probe;  // while that is being found out
};

Peer::Peer() = default;
Peer::~Peer() = default;

namespace {

constexpr Nanoseconds longest_patience = 5 * second;

std::vector<Peer*> connecting_peers;
Nanoseconds earliest_retry = progress::Source::no_deadline;

void give_up(Peer& peer, Error error);

void note_retry(Connecting& connecting, Nanoseconds at) {
  connecting.retry_at = at;
  earliest_retry = std::min(earliest_retry, at);
}

std::uint64_t seal_of(wire::Kind kind, const std::byte* handshake, std::size_t size) {
  SipHash hash(runtime::job().key);
  hash.add(&kind, 1);
  hash.add(handshake + sizeof(wire::Handshake::seal), size - sizeof(wire::Handshake::seal));
  return hash.finish();
}

// Posts one message of the handshake; false when the port has no room now.
bool send_handshake(Peer& peer, wire::Kind kind, Destination to, std::size_t attempt, std::uint8_t echo,
                    std::uint64_t nonce) {
  const bool introduce = kind != wire::Kind::confirm;
  std::byte body[sizeof(wire::Handshake) + 1024];
  wire::Handshake shake;
  shake.attempt = static_cast<std::uint8_t>(attempt);
  shake.echo = echo;
  shake.job = runtime::job().id;
  shake.rank = static_cast<std::uint32_t>(runtime::job().rank);
  shake.your_number = peer.process;
  shake.your_token = peer.expected_token;
  shake.your_credits = self.window;
  shake.address_size = introduce ? static_cast<std::uint32_t>(self.address.size()) : 0;
  shake.my_nonce = self.nonce;
  shake.your_nonce = nonce;
  const std::size_t size = sizeof shake + shake.address_size;
  memcpy(body, &shake, sizeof shake);
  memcpy(body + sizeof shake, self.address.data(), shake.address_size);
  shake.seal = seal_of(kind, body, size);
  memcpy(body, &shake, sizeof shake);
  wire::Header head;
  head.kind = kind;
  // Refused for good it is as if no answer came: the next address is tried.
  return self.port->send(to, &head, sizeof head, {.bytes = body, .size = size}) != Post::again;
}

Error take_candidates(Peer& peer, const std::string& address) {
  const bool same_node = runtime::node_of(static_cast<int>(peer.process)) == runtime::job().node;
  Connecting& connecting = *peer.connecting;
  if (Error error = self.port->candidates(address, same_node, connecting.candidates)) return error;
  if (connecting.candidates.empty())
    return fail(ErrorClass::other, "rank %u has published no address that can be used from here", peer.process);
  connecting.candidates.resize(std::min<std::size_t>(connecting.candidates.size(), 255));
  return success;
}

// The destination of the candidate in use, made ready if it was not.
Error current_destination(Connecting& connecting, Destination& to) {
  while (connecting.reached.size() <= connecting.attempt) {
    Destination destination;
    if (Error error = self.port->reach(connecting.candidates[connecting.reached.size()], destination)) return error;
    connecting.reached.push_back(destination);
  }
  to = connecting.reached[connecting.attempt];
  return success;
}

void greet(Peer& peer, wire::Kind kind, std::uint8_t echo) {
  Connecting& connecting = *peer.connecting;
  Destination to;
  if (Error error = current_destination(connecting, to)) return give_up(peer, error);
  connecting.greeted = send_handshake(peer, kind, to, connecting.attempt, echo, connecting.nonce);
  note_retry(connecting, connecting.greeted ? now() + connecting.patience : now());
}

void resolved(Peer& peer, Error error, const std::string& bytes) {
  if (peer.state != Peer::State::connecting || !peer.connecting->candidates.empty()) return;  // it greeted us meanwhile
  Connecting& connecting = *peer.connecting;
  if (!error && bytes.size() <= sizeof connecting.nonce)
    error = fail(ErrorClass::other, "rank %u has published no address", peer.process);
  if (error) return give_up(peer, error);
  memcpy(&connecting.nonce, bytes.data(), sizeof connecting.nonce);
  if (Error wrong = take_candidates(peer, bytes.substr(sizeof connecting.nonce))) return give_up(peer, wrong);
  greet(peer, wire::Kind::hello, 0);
}

void give_up(Peer& peer, Error error) {
  std::erase(connecting_peers, &peer);
  connections_pending = !connecting_peers.empty();
  peer.connecting.reset();
  peer_failed(peer, error);
}

void begin(Peer& peer) {
  peer.state = Peer::State::connecting;
  peer.connecting = std::make_unique<Connecting>();
  peer.connecting->patience = settings().address_timeout * millisecond;
  peer.connecting->probe_at = now() + settings().connect_timeout * millisecond;
  connecting_peers.push_back(&peer);
  connections_pending = true;
}

std::vector<std::string> addresses_of(const Connecting& connecting) {
  std::vector<std::string> addresses;
  for (const Candidate& candidate : connecting.candidates) addresses.push_back(candidate.text);
  return addresses;
}

// A peer that is busy answers late, but its host takes connections all the same. Fails when no address does.
Error check_reachable(Peer& peer, Nanoseconds time) {
  constexpr Nanoseconds between_looks = 10 * millisecond;
  Connecting& connecting = *peer.connecting;
  if (!connecting.probe && time <= connecting.probe_at) return success;
  if (!connecting.probe) connecting.probe = std::make_unique<Reachability>(addresses_of(connecting), time);
  const Reachability::Answer answer = connecting.probe->look(time);
  if (answer == Reachability::Answer::unreachable)
    return fail(ErrorClass::other, "rank %u cannot be reached over %s at any of its addresses (%s)", peer.process,
                self.port->name(), connecting.probe->reasons().c_str());
  if (answer == Reachability::Answer::pending) {
    earliest_retry = std::min(earliest_retry, time + between_looks);
    return success;
  }
  connecting.probe.reset();
  connecting.probe_at = time + settings().connect_timeout * millisecond;
  return success;
}

void now_up(Peer& peer, const wire::Handshake& shake) {
  Connecting& connecting = *peer.connecting;
  runtime::close_connections_on_exec(addresses_of(connecting));
  peer.destination = connecting.reached[shake.echo];
  for (std::size_t i = 0; i < connecting.reached.size(); ++i)
    if (i != shake.echo) self.port->forget(connecting.reached[i]);
  peer.state = Peer::State::up;
  peer.number = shake.your_number;
  peer.token = shake.your_token;
  peer.credits = shake.your_credits;
  std::erase(connecting_peers, &peer);
  connections_pending = !connecting_peers.empty();
  peer.connecting.reset();
}

// What must be true of a handshake before anything in it is believed, in the order in which it can be said. Drop::count: all
// of it is.
Drop what_is_wrong(const wire::Header& head, const std::byte* body, std::size_t size, wire::Handshake& shake) {
  if (size < sizeof shake) return Drop::handshake_form;
  memcpy(&shake, body, sizeof shake);
  const runtime::Job& job = runtime::job();
  const bool formed = shake.magic == wire::magic && shake.version == wire::version &&
                      shake.word_size == sizeof(void*) && shake.address_size == size - sizeof shake;
  if (!formed) return Drop::handshake_form;
  if (shake.seal != seal_of(head.kind, body, size)) return Drop::handshake_seal;
  if (shake.your_nonce != self.nonce) return Drop::handshake_target;
  const bool possible = shake.job == job.id && shake.rank < static_cast<std::uint32_t>(job.size) &&
                        shake.rank != static_cast<std::uint32_t>(job.rank);
  return possible ? Drop::count : Drop::handshake_rank;
}

void hello_arrived(Peer& peer, const wire::Header& head, const wire::Handshake& shake, const std::string& address) {
  if (peer.state == Peer::State::up) {
    // Its own hello crossed our welcome: it hears again what it needs.
    send_handshake(peer, wire::Kind::welcome, peer.destination, 0, shake.attempt, shake.my_nonce);
    return;
  }
  if (peer.state == Peer::State::unknown) begin(peer);
  if (peer.state != Peer::State::connecting) return drop(&peer, head, Drop::handshake_unawaited);
  peer.connecting->nonce = shake.my_nonce;
  if (peer.connecting->candidates.empty()) {
    if (Error error = take_candidates(peer, address)) return give_up(peer, error);
  }
  greet(peer, wire::Kind::welcome, shake.attempt);
}

}  // namespace

std::string introduction() {
  std::string out(reinterpret_cast<const char*>(&self.nonce), sizeof self.nonce);
  return out + self.address;
}

void connect(Peer& peer) {
  begin(peer);
  runtime::fetch_address(static_cast<int>(peer.process),
                         [&peer](Error error, const std::string& bytes) { resolved(peer, error, bytes); });
}

void handshake_arrived(const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Handshake shake;
  if (const Drop wrong = what_is_wrong(head, body, size, shake); wrong != Drop::count)
    return drop(nullptr, head, wrong);
  Peer& peer = peer_of(shake.rank);
  if (head.kind == wire::Kind::hello)
    return hello_arrived(peer, head, shake,
                         std::string(reinterpret_cast<const char*>(body) + sizeof shake, shake.address_size));
  const bool waiting = peer.state == Peer::State::connecting && shake.echo < peer.connecting->reached.size();
  if (!waiting && peer.state != Peer::State::up) return drop(&peer, head, Drop::handshake_unawaited);
  if (waiting) now_up(peer, shake);
  if (head.kind == wire::Kind::welcome && peer.state == Peer::State::up)
    send_handshake(peer, wire::Kind::confirm, peer.destination, 0, shake.attempt, shake.my_nonce);
  if (waiting) peer_is_up(peer);
}

std::size_t retry_connections() {
  if (earliest_retry == progress::Source::no_deadline) return 0;
  const Nanoseconds time = now();
  if (time < earliest_retry) return 0;
  earliest_retry = progress::Source::no_deadline;
  std::size_t sent = 0;
  const std::vector<Peer*> peers = connecting_peers;  // greet() may end the attempt of one
  for (Peer* peer : peers) {
    Connecting& connecting = *peer->connecting;
    const bool due = connecting.retry_at <= time;
    if (due || connecting.probe) {
      if (Error error = check_reachable(*peer, time)) {
        give_up(*peer, error);
        continue;
      }
    }
    if (!due) {
      earliest_retry = std::min(earliest_retry, connecting.retry_at);
      continue;
    }
    if (connecting.greeted) {
      connecting.attempt = (connecting.attempt + 1) % connecting.candidates.size();
      if (connecting.attempt == 0) connecting.patience = std::min(2 * connecting.patience, longest_patience);
      ++counters.retried_addresses;
    }
    ++sent;
    greet(*peer, wire::Kind::hello, 0);
  }
  return sent;
}

Nanoseconds next_retry() { return connections_pending ? earliest_retry : progress::Source::no_deadline; }

}  // namespace cow::transport
