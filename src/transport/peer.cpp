#include "transport/peer.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/clock.hpp"
#include "base/settings.hpp"
#include "runtime/at_exit.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/job.hpp"
#include "runtime/progress.hpp"
#include "runtime/quick_poll.hpp"
#include "transport/connect.hpp"
#include "transport/dispatch.hpp"
#include "transport/local_peers.hpp"
#include "transport/ofi/ofi.hpp"

namespace cow::transport {

Counters counters;
std::uint32_t most_owed = 0;
void (*end_what_waits_for)(Peer& peer) = nullptr;
Handler handlers[static_cast<int>(wire::Kind::count)] = {};

namespace {

constexpr std::int64_t smallest_window = 64 * 1024 / wire::credit_unit;  // four of the largest messages
constexpr std::int64_t largest_window = UINT16_MAX;                      // what one header can give back

std::unique_ptr<Port> port;  // the network's; null: not needed
std::vector<std::unique_ptr<Peer>> peers;
std::vector<Peer*> pumped;  // peers with something queued

void put_in_pump(Peer& peer) {
  if (peer.pumping) return;
  peer.pumping = true;
  pumped.push_back(&peer);
}

// The port's verdict on a message for good, which every later one would share: numbered messages cannot be left out.
[[gnu::cold]] void fail_refused(Peer& peer, const char* why) {
  const std::string reason = why;
  peer_failed(peer, fail(ErrorClass::other, "rank %u can no longer be reached: %s", peer.process, reason.c_str()));
}

// Fills in what depends on the moment and hands the message to the port. False: it has not left, for now or, when the peer
// has failed by it, for ever.
bool try_post(Peer& peer, Outgoing& out) {
  const auto returned = static_cast<std::uint16_t>(std::min<std::uint32_t>(peer.owed, UINT16_MAX));
  if (peer.local) {
    if (!post_to_local_peer(peer, out, returned)) return false;
  } else {
    out.head.sender = peer.number;
    out.head.token = peer.token;
    out.head.sequence = peer.next_sequence;
    out.head.credits = returned;
    const Post post = self.port->send(peer.destination, &out.head, sizeof out.head + out.extra_size, out.body);
    if (__builtin_expect(post == Post::refused, 0)) fail_refused(peer, last_failure());
    if (post != Post::done) return false;
    ++peer.next_sequence;
  }
  peer.owed -= returned;
  peer.credits -= out.cost;
  peer.sent += out.cost != 0;
  ++counters.sent;
  return true;
}

void tell_posted(Outgoing& out, Error error) {
  if (out.posted) out.posted(out, error);
}

// Tells a peer once that messages wait for its credits.
void tell_starved(Peer& peer) {
  if (peer.told_starved || peer.starved_queued) return;
  if (peer.messages.empty() || peer.messages.front()->cost <= peer.credits) return;
  peer.told_starved = peer.starved_queued = true;
  peer.starved_message.head = {.kind = wire::Kind::starved};
  peer.starved_message.owner = &peer;
  peer.starved_message.posted = [](Outgoing& out, Error) { static_cast<Peer*>(out.owner)->starved_queued = false; };
  if (post(peer, peer.starved_message) == Post::done) peer.starved_queued = false;
}

// Posts what is queued for a peer, answers first; returns how many went. Stops when the port or the credits say so.
std::size_t pump(Peer& peer) {
  std::size_t count = 0;
  for (; !peer.answers.empty(); ++count) {
    if (!try_post(peer, *peer.answers.front())) return count;
    tell_posted(peer.answers.pop(), success);
  }
  for (; !peer.messages.empty() && peer.messages.front()->cost <= peer.credits; ++count) {
    if (!try_post(peer, *peer.messages.front())) return count;
    tell_posted(peer.messages.pop(), success);
  }
  tell_starved(peer);
  return count;
}

std::size_t tell_failure(Peer& peer) {
  std::size_t count = 0;
  for (; !peer.answers.empty(); ++count) tell_posted(peer.answers.pop(), failure_of(peer));
  for (; !peer.messages.empty(); ++count) tell_posted(peer.messages.pop(), failure_of(peer));
  if (end_what_waits_for) end_what_waits_for(peer);
  return count;
}

std::size_t pump_all() {
  std::size_t count = 0;
  for (std::size_t i = 0; i < pumped.size();) {
    Peer& peer = *pumped[i];
    if (peer.state == Peer::State::up) count += pump(peer);
    if (peer.state == Peer::State::failed) count += tell_failure(peer);
    if (peer.answers.empty() && peer.messages.empty()) {
      peer.pumping = false;
      pumped[i] = pumped.back();
      pumped.pop_back();
    } else {
      ++i;
    }
  }
  return count;
}

void handle(Peer& peer, const wire::Header& head, const std::byte* bytes, std::size_t size) {
  ++peer.expected;
  dispatch(peer, head, bytes + sizeof head, size - sizeof head);
}

// Keeps a message that came before its turn, or handles those whose turn has come.
void put_in_order(Peer& peer, const wire::Header& head, const std::byte* bytes, std::size_t size) {
  const bool handled = static_cast<std::int32_t>(head.sequence - peer.expected) < 0;
  if (handled || !peer.early.emplace(head.sequence, std::vector<std::byte>(bytes, bytes + size)).second)
    return drop(&peer, head, Drop::repeated);
  ++counters.out_of_order;
}

void handle_early(Peer& peer) {
  for (auto next = peer.early.find(peer.expected); next != peer.early.end(); next = peer.early.find(peer.expected)) {
    const std::vector<std::byte> bytes = std::move(next->second);
    peer.early.erase(next);
    wire::Header head;
    memcpy(&head, bytes.data(), sizeof head);
    handle(peer, head, bytes.data(), bytes.size());
  }
}

struct FromNetwork final : Receiver {
  void arrived(const std::byte* bytes, std::size_t size) override {
    wire::Header head;
    if (size < sizeof head || size > wire::max_message) return drop(nullptr, head, Drop::size);
    memcpy(&head, bytes, sizeof head);
    if (has_handler(head.kind)) {
      Peer* peer = head.sender < peers.size() ? peers[head.sender].get() : nullptr;
      if (!peer || peer->local) return drop(nullptr, head, Drop::sender);
      if (head.token != peer->expected_token) return drop(nullptr, head, Drop::token);
      if (head.sequence != peer->expected) return put_in_order(*peer, head, bytes, size);
      handle(*peer, head, bytes, size);
      if (!peer->early.empty()) handle_early(*peer);
    } else if (head.kind >= wire::Kind::hello && head.kind <= wire::Kind::confirm) {
      handshake_arrived(head, bytes + sizeof head, size - sizeof head);
    } else {
      drop(nullptr, head, Drop::kind);
    }
  }

  // A message of the handshake may well be lost: another address is tried.
  void lost(Destination to, const char* why) override {
    ++counters.lost;
    for (const auto& peer : peers)
      if (peer && !peer->local && peer->state == Peer::State::up && peer->destination == to) fail_refused(*peer, why);
  }
} from_network;

progress::Source source;

// Credits for a peer: carried by the next message to it, or by one of their own when they have become many.
void return_credits(Peer& peer, std::uint32_t units) {
  peer.owed += units;
  if (peer.owed < most_owed || peer.credit_queued) return;
  peer.credit_queued = true;
  peer.credit_message.head = {.kind = wire::Kind::credit};
  peer.credit_message.posted = [](Outgoing& out, Error) { static_cast<Peer*>(out.owner)->credit_queued = false; };
  peer.credit_message.owner = &peer;
  if (post(peer, peer.credit_message) == Post::done) peer.credit_queued = false;
}

std::vector<Peer*> starved_peers;
Nanoseconds vain_since = 0;  // when polling began to find nothing; 0: it found something

void starved_arrived(Peer& peer, const wire::Header&, const std::byte*, std::size_t) {
  if (std::exchange(peer.starved, true)) return;
  starved_peers.push_back(&peer);
}

// Advances a window to each starved peer when polling has been in vain for a while.
void feed_starved(bool in_vain) {
  constexpr Nanoseconds patience = millisecond;  // many round trips: credits that were on their way have arrived
  if (!in_vain) {
    vain_since = 0;
    return;
  }
  const Nanoseconds time = now();
  if (vain_since == 0) vain_since = time;
  source.deadline = std::min(source.deadline, vain_since + patience);
  if (time < vain_since + patience) return;
  std::erase_if(starved_peers, [](Peer* peer) {
    // Threads work on what it has sent, and will give back its credits: the pile does not grow meanwhile.
    if (peer->held > 0) return false;
    peer->starved = false;
    peer->advance += self.window;
    ++counters.advances;
    return_credits(*peer, self.window);
    return true;
  });
  vain_since = 0;
}

std::size_t poll_ports(progress::Source&) {
  std::size_t events = shared_memory ? poll_local_peers() : 0;
  if (port) events += port->poll();
  if (!pumped.empty()) events += pump_all();
  if (connections_pending) events += retry_connections();
  source.deadline = next_retry();
  if (!starved_peers.empty()) feed_starved(events == 0);
  return events;
}

// The descriptors of both ports: one that has none must be polled. Alone, shared memory sleeps by itself.
int descriptors(progress::Source&, int* out) {
  int count = 0;
  if (port) out[count++] = port->wait_descriptor();
  if (port && shared_memory) out[count++] = shared_memory->wait_descriptor();
  return count;
}

bool may_sleep(progress::Source&) {
  if (shared_memory && !local_peers_may_sleep()) return false;
  return !port || port->wait_descriptor() < 0 || port->may_sleep();
}

void set_up_source() {
  source.poll = poll_ports;
  source.descriptors = descriptors;
  source.may_sleep = may_sleep;
  if (shared_memory) source.awake = [](progress::Source&) { shared_memory->awake(); };
  if (shared_memory) progress::quick = poll_local_peers;
  if (shared_memory && !port) {
    source.sleep = [](progress::Source&, Nanoseconds limit) { shared_memory->sleep(limit); };
    source.interrupt = [](progress::Source&) { shared_memory->interrupt_sleep(); };
  }
  progress::add(source);
}

Error open_network() {
  const runtime::Job& job = runtime::job();
  const std::vector<int> descriptors = runtime::open_descriptors();
  if (Error error = open_port(settings().provider, job.local_size == job.size, from_network, port)) return error;
  runtime::close_new_ones_on_exec(descriptors);
  self.port = port.get();
  self.address = port->published();
  return runtime::publish_address(introduction());
}

// When the program exits without MPI_Finalize: providers keep things outside of the process, shm its files in /dev/shm.
// Asked for when the library is loaded, so that it is done after all that the program's own destructors do.
[[maybe_unused]] const bool closes_at_exit = (runtime::at_exit([] { port.reset(); }), true);

void take_credit(Peer&, const wire::Header&, const std::byte*, std::size_t) {}  // all it has to say is in the header

void refuse(Peer& peer, const wire::Header& head, const std::byte*, std::size_t) { drop(&peer, head, Drop::kind); }

template <class T>
T random_number() {
  T out;
  COW_INVARIANT(getrandom(&out, sizeof out, 0) == sizeof out);
  return out;
}

}  // namespace

void set_handler(wire::Kind kind, Handler handler) { handlers[static_cast<int>(kind)] = handler; }

Error open() {
  const runtime::Job& job = runtime::job();
  peers.resize(static_cast<std::size_t>(job.size));
  up_local_peers = new Peer* [peers.size()] {};
  if (job.size == 1) return success;
  for (Handler& handler : handlers)
    if (!handler) handler = refuse;
  self.nonce = random_number<std::uint64_t>();
  self.window = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
      settings().eager_window / static_cast<std::int64_t>(wire::credit_unit), smallest_window, largest_window));
  set_handler(wire::Kind::credit, take_credit);
  set_handler(wire::Kind::starved, starved_arrived);
  most_owed = self.window / 4;
  if (Error error = open_local_peers(self.window)) return error;
  if (!only_local_peers())
    if (Error error = open_network()) return error;
  set_up_source();
  return success;
}

bool everything_has_left() { return pumped.empty() && port_is_drained(); }

bool messages_have_left() {
  return std::all_of(pumped.begin(), pumped.end(), [](const Peer* peer) { return peer->messages.empty(); });
}

bool port_is_drained() { return !port || port->drained(); }

void close() {
  delete[] std::exchange(up_local_peers, nullptr);
  if (!port && !shared_memory) return;
  progress::quick = nullptr;
  progress::remove(source);
  port.reset();
  peers.clear();
  pumped.clear();
}

Peer& peer_of(Process process) {
  std::unique_ptr<Peer>& peer = peers[process];
  if (!peer) {
    peer = std::make_unique<Peer>();
    peer->process = process;
    if (const int index = local_peer_index(process); index >= 0) {
      peer->local = true;
      peer->destination = static_cast<Destination>(index);
    } else {
      peer->expected_token = random_number<std::uint32_t>();
    }
  }
  return *peer;
}

std::vector<Peer*> known_peers() {
  std::vector<Peer*> out;
  for (const auto& peer : peers)
    if (peer) out.push_back(peer.get());
  return out;
}

Port& port_of(Peer& peer) { return peer.local ? *shared_memory : *port; }

Error failure_of(const Peer& peer) { return fail(peer.failure.code(), "%s", peer.failure_text.c_str()); }

Post post(Peer& peer, Outgoing& out) {
  if (out.cost == 0) {
    if (peer.state == Peer::State::up && peer.answers.empty() && try_post(peer, out)) return Post::done;
    peer.answers.push(out);
  } else {
    // Answers may wait while messages go: only the order among messages matters to the receiver.
    if (peer.state == Peer::State::up && peer.messages.empty() && out.cost <= peer.credits && try_post(peer, out))
      return Post::done;
    if (out.cost > peer.credits && peer.state == Peer::State::up) ++counters.credit_waits;
    peer.messages.push(out);
  }
  put_in_pump(peer);
  if (peer.state == Peer::State::unknown) peer.local ? connect_local_peer(peer) : connect(peer);
  return Post::posted;
}

bool take_back(Peer& peer, Outgoing& out) {
  bool found = false;
  peer.messages.remove_if([&](Outgoing& each) { return &each == &out && (found = true); });
  return found;
}

void buffer_release(Peer& peer, std::uint32_t cost) {
  const std::uint32_t kept = std::min(peer.advance, cost);  // what was advanced is not given back twice
  peer.advance -= kept;
  if (cost > kept) return_credits(peer, cost - kept);
}

void peer_is_up(Peer& peer) { put_in_pump(peer); }

void peer_failed(Peer& peer, Error error) {
  peer.state = Peer::State::failed;
  up_local_peers[peer.process] = nullptr;
  peer.failure = error;
  peer.failure_text = last_failure();
  put_in_pump(peer);
}

}  // namespace cow::transport
