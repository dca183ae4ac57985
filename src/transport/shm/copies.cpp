// Large messages inside a node: read straight from the other's memory, where the kernel permits it.
#include <algorithm>
#include <cstring>

#include "runtime/process_memory.hpp"
#include "runtime/process_state.hpp"
#include "runtime/waiting.hpp"
#include "transport/shm/kernel.hpp"
#include "transport/shm/shm_port.hpp"

namespace cow::transport {

using shm::Link;
using shm::Presence;
using shm::RankEntry;

void ShmPort::probe(Link& link) {
  const RankEntry& other = segment_.rank_entry(link.index);
  std::uint64_t found = 0;
  const bool read = place_.copying && shm::copy_from(other.pid, &found, other.probe_address, sizeof found) == 0;
  link.copying = read && found == other.probe_value ? Link::Copying::yes : Link::Copying::no;
}

const Port::Limits& ShmPort::limits(Destination to) {
  Link& link = links_[to];
  if (link.copying == Link::Copying::unknown) {
    if (presence(link.index) != Presence::here) return limits_;  // nobody to ask yet
    probe(link);
  }
  return link.copying == Link::Copying::yes ? limits_ : without_read_;
}

Post ShmPort::read(Destination from, void* local, const Registration*, std::uint64_t remote_address,
                   const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) {
  std::int32_t process = segment_.rank_entry(links_[from].index).pid;
  const bool kept = key_size == sizeof process;
  if (kept) memcpy(&process, key, sizeof process);
  copies_.push_back(
      {&links_[from], process, kept, static_cast<std::byte*>(local), remote_address, size, &completion, {}});
  return Post::posted;
}

bool ShmPort::peek(Destination other, std::uint64_t address, void* to, std::size_t size) {
  return shm::copy_from(process_of(links_[other].index), to, address, size) == 0;
}

bool ShmPort::poke(Destination other, std::uint64_t address, const void* from, std::size_t size) {
  return shm::copy_to(process_of(links_[other].index), address, from, size) == 0;
}

// A piece of the oldest read. Where the kernel refuses what it permitted when it was asked, the class of the error says
// that the data must be had in another way.
std::size_t ShmPort::go_on_copying() {
  Copy& copy = copies_.front();
  const std::size_t piece = std::min(copy.left, copy.kept ? shm::kept_piece : shm::copy_piece);
  if (copy.kept) {
    copy.wrong = runtime::ProcessMemory(copy.process).read(copy.local, copy.remote, piece);
  } else if (copy.help.asked) {
    if (!help_has_ended(copy, piece)) return 0;
  } else if (may_ask_for_help(copy, piece)) {
    if (!copy_with_help(copy, piece)) return 1;
  } else {
    copy.wrong = shm::copy_from(copy.process, copy.local, copy.remote, piece);
  }
  copy.local += piece;
  copy.remote += piece;
  copy.left -= piece;
  if (!copy.wrong && copy.left > 0) {
    if (copies_.size() > 1) std::rotate(copies_.begin(), copies_.begin() + 1, copies_.end());
    return 1;
  }
  const Copy ended = copy;
  copies_.erase(copies_.begin());
  if (ended.wrong) ended.from->copying = Link::Copying::no;
  ended.completion->done(*ended.completion,
                         ended.wrong ? fail(ErrorClass::unsupported_operation, "reading the memory of process %d: %s",
                                            ended.process, strerror(ended.wrong))
                                     : success);
  return 1;
}

// ---- help (helping.hpp)

// Whoever sleeps is not woken for it, and who has not heard the last call is busy. Where ranks share processors, the
// other's would be taken from somebody. Nor is one asked who copies from us at the same time: then each does its own best,
// as its caches hold its own buffer.
bool ShmPort::may_ask_for_help(const Copy& copy, std::size_t piece) {
  Link& link = *copy.from;
  if (link.exchanges > 0) {
    --link.exchanges;
    return false;
  }
  return piece >= shm::help_threshold && place_.helping && link.helps && link.out.has_taken(link.called) &&
         runtime::waiting_policy().spin > 0 && !link.other_sleeps();
}

// False: the other still works at a chunk.
bool ShmPort::copy_with_help(Copy& copy, std::size_t piece) {
  Link& link = *copy.from;
  const std::uint32_t number = ++link.copies;
  shm::Claims claims(link.out.fifo(), number, piece);
  claims.open();
  const wire::Help wanted{.to = reinterpret_cast<std::uintptr_t>(copy.local),
                          .from = copy.remote,
                          .size = static_cast<std::uint32_t>(piece),
                          .number = number};
  if (link.put({wire::Kind::help, 0, 0, 0}, 0, &wanted, sizeof wanted)) link.called = link.out.sent();
  std::uint32_t own = 0;
  for (std::uint32_t chunk; (chunk = claims.claim()) != shm::Claims::none; ++own) {
    const std::size_t begin = claims.begin(chunk);
    if (!copy.wrong)
      copy.wrong = shm::copy_from(copy.process, copy.local + begin, copy.remote + begin, claims.size(chunk));
  }
  if (link.in.is_open() && link.in.ready() && link.in.head().kind == wire::Kind::help)
    link.exchanges = exchanges_presumed;
  copy.help = {.claims = claims, .asked = true, .chunks = claims.count() - own};
  return help_has_ended(copy, piece);
}

bool ShmPort::help_has_ended(Copy& copy, std::size_t piece) {
  Help& help = copy.help;
  if (help.chunks > 0 && !help.claims.helped(help.chunks)) {
    constexpr std::uint32_t looks_between_checks = 1 << 14;
    const bool died = ++help.looked % looks_between_checks == 0 && runtime::has_ended(copy.process);
    if (!died && !help.claims.refused()) return false;
    copy.from->helps = false;
    copy.wrong = shm::copy_from(copy.process, copy.local, copy.remote, piece);
  } else {
    chunks_helped_ += help.chunks;
  }
  help.asked = false;
  return true;
}

bool ShmPort::help(Link& link, const wire::Help& wanted) {
  if (wanted.size > shm::copy_piece || !place_.copying) return false;
  if (copies_.empty())
    do_part_of(link, wanted);
  else
    link.exchanges = exchanges_presumed;
  return true;
}

void ShmPort::do_part_of(Link& link, const wire::Help& wanted) {
  shm::Claims claims(link.in.fifo(), wanted.number, wanted.size);
  const std::int32_t process = segment_.rank_entry(link.index).pid;
  std::uint32_t done = 0;
  for (std::uint32_t chunk; (chunk = claims.claim()) != shm::Claims::none;) {
    const std::size_t begin = claims.begin(chunk);
    const auto* from = reinterpret_cast<const std::byte*>(wanted.from) + begin;
    if (shm::copy_to(process, wanted.to + begin, from, claims.size(chunk)) != 0) return claims.tell_refused();
    claims.tell(++done);
    ++chunks_done_for_others_;
  }
}

Post ShmPort::write(Destination, const void*, const Registration*, std::uint64_t, const std::byte*, std::size_t,
                    std::size_t, Completion&) {
  broken(__FILE__, __LINE__, "limits() offers no writing");
}

Error ShmPort::register_memory(const void* address, std::size_t, Registration& out) {
  out.address = reinterpret_cast<std::uintptr_t>(address);
  out.key_size = 1;  // no key is needed, but without one an offer says that nothing can be read
  return success;
}

}  // namespace cow::transport
