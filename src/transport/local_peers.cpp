#include "transport/local_peers.hpp"

#include <algorithm>
#include <cstring>

#include "base/settings.hpp"
#include "runtime/inherited.hpp"
#include "runtime/job.hpp"
#include "runtime/waiting.hpp"
#include "transport/connect.hpp"
#include "transport/dispatch.hpp"

namespace cow::transport {

ShmPort* shared_memory = nullptr;
Peer** up_local_peers = nullptr;

namespace {

std::vector<Peer*> awaited;  // local peers that have not started yet

bool knows_local_peers(const runtime::Job& job) {
  if (job.local_size == job.size) return job.local_rank == job.rank;
  return job.local_ranks.size() == static_cast<std::size_t>(job.local_size) &&
         job.local_ranks[static_cast<std::size_t>(job.local_rank)] == job.rank;
}

int rank_of(std::uint32_t index) {
  const runtime::Job& job = runtime::job();
  return job.local_ranks.empty() ? static_cast<int>(index) : job.local_ranks[index];
}

void come_up(Peer& peer) {
  const auto index = static_cast<std::uint32_t>(peer.destination);
  shm::Link* link;
  if (Error error = shared_memory->reach(index, link)) return peer_failed(peer, error);
  peer.link = link;
  link->owner = &peer;
  peer.credits = shared_memory->window_of(index);
  peer.state = Peer::State::up;
  up_local_peers[peer.process] = &peer;
  peer_is_up(peer);
}

// Connects if the local peer has started; false when it has not.
bool try_connect(Peer& peer) {
  switch (shared_memory->presence(static_cast<std::uint32_t>(peer.destination))) {
    case shm::Presence::unknown: return false;
    case shm::Presence::here: come_up(peer); break;
    default:
      peer_failed(peer, fail(ErrorClass::other,
                             "rank %u, on this node, does not use shared memory: COW_SHM and COW_PROVIDER must be the "
                             "same for all ranks",
                             peer.process));
  }
  return true;
}

[[gnu::cold]] Peer& meet(shm::Link& link) {
  Peer& peer = peer_of(static_cast<Process>(rank_of(link.index)));
  link.owner = &peer;
  if (peer.state == Peer::State::unknown) connect_local_peer(peer);
  return peer;
}

void arrived(shm::Link& link, const wire::Header& line, const std::byte* body, std::size_t size) {
  const wire::Header head = line;  // the sender could still write to it
  Peer& peer = __builtin_expect(link.owner != nullptr, 1) ? *static_cast<Peer*>(link.owner) : meet(link);
  if (!has_handler(head.kind)) return drop(&peer, head, Drop::kind);
  dispatch(peer, head, body, size);
}

void help_wanted(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Help help;
  if (size != sizeof help) return drop(&peer, head, Drop::body_size);
  memcpy(&help, body, sizeof help);
  if (!peer.link || !shared_memory->help(*peer.link, help)) drop(&peer, head, Drop::help);
}

std::size_t look_for_awaited() {
  return std::erase_if(awaited, [](Peer* peer) { return try_connect(*peer); });
}

}  // namespace

bool shared_memory_is_wanted() {
  const Settings& set = settings();
  return set.shm == "yes" || (set.shm == "auto" && set.provider == "auto");
}

Error open_local_peers(std::uint32_t window) {
  const runtime::Job& job = runtime::job();
  int descriptor;
  if (Error error = runtime::shared_memory_of_node(descriptor)) return error;
  if (descriptor < 0 || job.local_size < 2 || !knows_local_peers(job)) {
    if (settings().shm != "yes" || job.local_size < 2) return success;
    return fail(ErrorClass::other,
                "COW_SHM=yes, but the launcher gave the ranks of this node no memory to share: that is "
                "done by this library's mpirun");
  }
  ShmPort::Place place;
  place.identity = {job.id, job.node, static_cast<std::uint32_t>(job.local_size), job.key};
  place.index = static_cast<std::uint32_t>(job.local_rank);
  place.rank = static_cast<std::uint32_t>(job.rank);
  place.window = window;
  place.copying = settings().cma != "no";
  place.helping = settings().cma == "auto";
  place.pollable = job.local_size < job.size;
  auto* port = new ShmPort;
  if (!shared_memory_is_wanted()) {
    const Error error = port->refuse(descriptor, place);
    delete port;
    return error;
  }
  shared_memory = port;
  set_handler(wire::Kind::help, help_wanted);
  runtime::find_room = [] {
    cpu_set_t allowed;
    const int here = sched_getcpu();
    if (here < 0 || here >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -1;
    return shared_memory->find_room(here, allowed);
  };
  return port->open(descriptor, place);
}

int local_peer_index(Process process) {
  if (!shared_memory) return -1;
  const runtime::Job& job = runtime::job();
  if (job.local_ranks.empty()) return process < static_cast<Process>(job.size) ? static_cast<int>(process) : -1;
  const auto found = std::lower_bound(job.local_ranks.begin(), job.local_ranks.end(), static_cast<int>(process));
  if (found == job.local_ranks.end() || *found != static_cast<int>(process)) return -1;
  return static_cast<int>(found - job.local_ranks.begin());
}

bool only_local_peers() { return shared_memory && runtime::job().local_size == runtime::job().size; }

std::size_t local_eager_limit() { return shared_memory ? shared_memory->limits().eager : 0; }

void connect_local_peer(Peer& peer) {
  peer.state = Peer::State::connecting;
  if (!try_connect(peer)) awaited.push_back(&peer);
}

std::size_t poll_local_peers() {
  std::size_t events = shared_memory->poll_with(arrived);
  if (__builtin_expect(!awaited.empty(), 0)) events += look_for_awaited();
  return events;
}

bool local_peers_may_sleep() {
  if (!shared_memory->may_sleep()) return false;
  return std::none_of(awaited.begin(), awaited.end(), [](const Peer* peer) {
    return shared_memory->presence(static_cast<std::uint32_t>(peer->destination)) != shm::Presence::unknown;
  });
}

bool post_long(Peer& peer, const shm::Envelope& envelope, std::uint16_t credits, const void* bytes, std::size_t size) {
  Error error;
  const Post post =
      shared_memory->send(*peer.link, envelope, credits, nullptr, 0, {.bytes = bytes, .size = size}, error);
  if (error) peer_failed(peer, error);
  return post == Post::done;
}

bool post_to_local_peer(Peer& peer, const Outgoing& out, std::uint16_t credits) {
  Error error;
  const shm::Envelope envelope{out.head.kind, out.head.context, out.head.source, out.head.tag};
  const Post post = shared_memory->send(*peer.link, envelope, credits, out.extra, out.extra_size, out.body, error);
  if (error) peer_failed(peer, error);
  return post == Post::done;
}

}  // namespace cow::transport
