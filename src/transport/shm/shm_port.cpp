#include "transport/shm/shm_port.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "transport/shm/kernel.hpp"

namespace cow::transport {

using shm::Link;
using shm::Presence;
using shm::RankEntry;
using shm::Sleep;

ShmPort::~ShmPort() {
  if (socket_ >= 0) close(socket_);
}

Error ShmPort::open(int descriptor, const Place& place, Receiver* receiver) {
  place_ = place;
  receiver_ = receiver;
  if (Error error = segment_.open(descriptor, place.identity)) return error;
  links_ = std::vector<Link>(place.identity.count);
  for (std::uint32_t i = 0; i < links_.size(); ++i) {
    Link& link = links_[i];
    link.index = i;
    link.port = this;
    link.asleep = &segment_.rank_entry(i).asleep;
    link.listening_flag = &segment_.listening_flag(i, place.index);
  }
  bells_ = segment_.bells(place.index);
  bell_words_ = segment_.plan().bell_words();
  limits_ = limits_for(place.copying);
  without_read_ = limits_for(false);
  barrier_works_ = shm::register_for_barriers();
  std::uint64_t numbers[2];
  if (getrandom(numbers, sizeof numbers, 0) != sizeof numbers)
    return fail(ErrorClass::other, "no random numbers to be had");
  probe_value_ = numbers[0];
  if (place.pollable) {
    socket_name_ = numbers[1];
    if (Error error = shm::open_waking_socket(socket_name_, socket_)) return error;
  }
  if (place.copying) shm::permit_copying();
  return announce(Presence::here);
}

Port::Limits ShmPort::limits_for(bool copying) {
  if (!copying) return {.message = wire::max_message};
  return {.message = wire::max_message,
          .read = true,
          .remote_threshold = shm::copy_threshold,
          .eager = shm::eager_threshold};
}

Error ShmPort::refuse(int descriptor, const Place& place) {
  place_ = place;
  if (Error error = segment_.open(descriptor, place.identity)) return error;
  return announce(Presence::refused);
}

Error ShmPort::announce(Presence presence) {
  me_ = &segment_.rank_entry(place_.index);
  if (presence == Presence::refused && me_->presence.load() == static_cast<std::uint32_t>(presence)) return success;
  if (me_->presence.load() != static_cast<std::uint32_t>(Presence::unknown))
    return fail(
        ErrorClass::other,
        "process %d was rank %u of this job before this one: two programs cannot be the same rank, one after the other",
        me_->pid, place_.rank);
  me_->rank = place_.rank;
  me_->pid = getpid();
  me_->window = place_.window;
  me_->probe_address = reinterpret_cast<std::uintptr_t>(&probe_value_);
  me_->probe_value = probe_value_;
  me_->socket = socket_name_;
  me_->presence.store(static_cast<std::uint32_t>(presence), std::memory_order_seq_cst);
  for (std::uint32_t i = 0; i < place_.identity.count; ++i)
    if (i != place_.index) wake(i);  // whoever waits for us to come
  return success;
}

Presence ShmPort::presence(std::uint32_t index) const {
  return static_cast<Presence>(segment_.rank_entry(index).presence.load(std::memory_order_acquire));
}

Error ShmPort::reach(std::uint32_t index, Link*& out) {
  Link& link = links_[index];
  if (!link.out.is_open()) {
    if (Error error = segment_.reserve_fifo(index, place_.index, 0, shm::data_offset)) return error;
    shm::Fifo* fifo;
    if (Error error = segment_.map_fifo(index, place_.index, fifo)) return error;
    link.out.open(fifo, link.exchange);
  }
  out = &link;
  return success;
}

// ---- sending

Post ShmPort::send(Link& to, const shm::Envelope& envelope, std::uint16_t credits, const void* extra,
                   std::size_t extra_size, const Body& body, Error& error) {
  const std::size_t size = extra_size + body.size;
  std::byte* place = to.out.begin(size);
  if (!place) {
    if (!to.on_starved_list) starved_.push_back(&to);
    to.on_starved_list = true;
    return Post::again;
  }
  if (const std::size_t reach = to.out.reach(size); __builtin_expect(reach > to.data_reserved, 0)) {
    const std::size_t end =
        std::min((reach + 16 * shm::page_size) / shm::page_size * shm::page_size, shm::data_units * shm::line_size);
    error = segment_.reserve_fifo(to.index, place_.index, shm::data_offset + to.data_reserved, shm::data_offset + end);
    if (error) return Post::again;
    to.data_reserved = end;
  }
  if (extra_size > 0) memcpy(place, extra, extra_size);
  if (body.produce)
    body.produce(body.state, place + extra_size);
  else if (body.size > 0)
    memcpy(place + extra_size, body.bytes, body.size);
  to.out.publish(envelope, credits, size);
  to.notify();
  return Post::done;
}

Post ShmPort::send(Destination to, const void* head, std::size_t head_size, const Body& body) {
  wire::Header header;
  memcpy(&header, head, sizeof header);
  Error error;
  return send(links_[to], {header.kind, header.context, header.source, header.tag}, header.credits,
              static_cast<const std::byte*>(head) + sizeof header, head_size - sizeof header, body, error);
}

void shm::Link::feed_sender() { port->wake(index); }

int shm::Link::draw_attention() {
  port->draw_attention(*this);
  return 0;
}

void ShmPort::draw_attention(Link& link) {
  if (link.listening_flag->load(std::memory_order_relaxed) != shm::listening) {
    const std::uint64_t bit = std::uint64_t{1} << (place_.index % 64);
    segment_.bells(link.index)[place_.index / 64].fetch_or(bit, std::memory_order_seq_cst);
  }
  wake(link.index);
}

void ShmPort::wake(std::uint32_t index) {
  RankEntry& other = segment_.rank_entry(index);
  if (other.asleep.load(std::memory_order_seq_cst) == static_cast<std::uint32_t>(Sleep::awake)) return;
  const auto how = static_cast<Sleep>(other.asleep.exchange(static_cast<std::uint32_t>(Sleep::awake)));
  if (how == Sleep::on_futex) shm::wake_futex(other.asleep);
  if (how == Sleep::on_socket) shm::wake_socket(other.socket);
}

// ---- receiving

void ShmPort::listen_to_ringers() {
  for (std::size_t word = 0; word < bell_words_; ++word) {
    if (bells_[word].load(std::memory_order_relaxed) == 0) continue;
    for (std::uint64_t bits = bells_[word].exchange(0, std::memory_order_seq_cst); bits != 0; bits &= bits - 1) {
      const std::size_t index = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
      if (index < links_.size() && index != place_.index) listen_to(links_[index]);
    }
  }
}

void ShmPort::listen_to(Link& link) {
  if (link.active) return;
  if (!link.in.is_open()) {
    shm::Fifo* fifo;
    if (segment_.map_fifo(place_.index, link.index, fifo)) {
      // No memory for a mapping: the bell rings again, so that the next poll tries again.
      bells_[link.index / 64].fetch_or(std::uint64_t{1} << (link.index % 64));
      return;
    }
    link.in.open(fifo, link.exchange);
  }
  link.active = true;
  link.heard = true;
  active_.push_back(&link);
  segment_.listening_flag(place_.index, link.index).store(shm::listening, std::memory_order_relaxed);
}

// Ceases to look at fifos on which nothing came for long, when there are many.
void ShmPort::forget_silent() {
  if (active_.size() <= always_active || !barrier_works_) return;
  bool any = false;
  for (Link* link : active_) {
    if (link->heard) continue;
    any = true;
    segment_.listening_flag(place_.index, link->index).store(shm::deaf, std::memory_order_relaxed);
  }
  if (any && everyone_sees()) {
    std::erase_if(active_, [&](Link* link) {
      if (link->heard) return false;
      if (link->in.ready()) {  // it wrote while it still saw us listening
        segment_.listening_flag(place_.index, link->index).store(shm::listening, std::memory_order_relaxed);
        return false;
      }
      link->active = false;
      return true;
    });
  }
  for (Link* link : active_) link->heard = false;
}

std::size_t ShmPort::poll() {
  std::size_t events = poll_with([this](Link& link, const wire::Header& head, const std::byte* body, std::size_t size) {
    // The general way, for a receiver that expects a message in one piece.
    static thread_local std::byte whole[wire::max_message];
    wire::Header header = head;
    header.sender = link.index;
    memcpy(whole, &header, sizeof header);
    memcpy(whole + sizeof header, body, size);
    if (receiver_) receiver_->arrived(whole, sizeof header + size);
  });
  return events;
}

// ---- sleeping

bool ShmPort::everyone_sees() {
  if (barrier_works_ && shm::barrier_everywhere()) return true;
  barrier_works_ = false;
  me_->asleep.fetch_or(0, std::memory_order_seq_cst);  // a barrier here, at least
  return false;
}

bool ShmPort::something_waits() {
  if (a_bell_rang() || !copies_.empty()) return true;
  for (const Link* link : active_)
    if (link->in.ready()) return true;
  std::erase_if(starved_, [](Link* link) {
    if (link->out.starved()) return false;
    link->on_starved_list = false;
    return true;
  });
  for (Link* link : starved_)
    if (link->out.look_for_room()) return true;
  return false;
}

bool ShmPort::may_sleep() {
  if (something_waits()) return false;
  const Sleep how = place_.pollable ? Sleep::on_socket : Sleep::on_futex;
  me_->asleep.store(static_cast<std::uint32_t>(how), std::memory_order_seq_cst);
  everyone_sees();
  return !something_waits();
}

void ShmPort::sleep(Nanoseconds limit) {
  // Without the barrier a message may have been overlooked; it is found a moment later.
  constexpr Nanoseconds careful_sleep = millisecond;
  if (!barrier_works_) limit = std::min(limit, careful_sleep);
  shm::wait_on_futex(me_->asleep, static_cast<std::uint32_t>(Sleep::on_futex), limit);
}

void ShmPort::interrupt_sleep() {
  me_->asleep.store(static_cast<std::uint32_t>(Sleep::awake), std::memory_order_seq_cst);
  shm::wake_futex(me_->asleep);
}

int ShmPort::find_room(int here, const cpu_set_t& allowed) {
  me_->processor.store(static_cast<std::uint32_t>(here) + 1, std::memory_order_relaxed);
  std::array<std::uint16_t, CPU_SETSIZE> ranks{};
  int later = 0;  // ranks on this processor with a higher number than ours
  for (std::uint32_t i = 0; i < links_.size(); ++i) {
    const RankEntry& other = segment_.rank_entry(i);
    const std::uint32_t there = other.processor.load(std::memory_order_relaxed);
    if (there == 0 || there > ranks.size() || presence(i) != Presence::here) continue;
    if (other.asleep.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(Sleep::awake)) continue;
    ++ranks[there - 1];
    later += i > place_.index && there - 1 == static_cast<std::uint32_t>(here);
  }
  // Those with a higher number move before us: each to where the fewest are, as long as that evens things out.
  for (;; --later) {
    int best = here;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &allowed) && ranks[cpu] < ranks[static_cast<std::size_t>(best)]) best = static_cast<int>(cpu);
    if (ranks[static_cast<std::size_t>(best)] + 2 > ranks[static_cast<std::size_t>(here)]) return -1;
    if (later == 0) return best;
    ++ranks[static_cast<std::size_t>(best)];
    --ranks[static_cast<std::size_t>(here)];
  }
}

void ShmPort::awake() {
  me_->asleep.store(static_cast<std::uint32_t>(Sleep::awake), std::memory_order_relaxed);
  if (socket_ >= 0) shm::empty_socket(socket_);
}

// ---- verbs of a port whose peers are found otherwise

Error ShmPort::candidates(std::string_view, bool, std::vector<Candidate>&) const {
  return fail(ErrorClass::other, "ranks of a node have no addresses");
}

Error ShmPort::reach(const Candidate&, Destination&) {
  return fail(ErrorClass::other, "ranks of a node have no addresses");
}

}  // namespace cow::transport
