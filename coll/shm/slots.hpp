// Slots: memory that all ranks of a node map, over which collectives go without messages. Here stands what lies where and the
// rules by which it is written; engine/run.hpp makes the verbs of it on which the ways of coll/shm are written.
//
// Rounds are numbered. In each of them each rank publishes by writing the number into its next slot, behind its data: a few
// bytes in the slot itself, which then move in one cache line together with the number, or more in a ring (rings.hpp). Who
// needs the data of others awaits their numbers.
//
// Slots and rings are used in turn, so that a rank may be ahead of those who still read. Who has published round n has left
// all before it; so a place that was last used k rounds ago may be written again when all have published the round after
// that one. Where everybody waits for everybody this is so without looking. There are many slots, for the sake of ranks
// that share a processor: of two who hand it to each other each goes through as many rounds as there are slots free, and
// a switch takes as long as twenty rounds.
//
// Data may be added to after they are published: first a rank's own, then what it has made of that and of the others'; then
// they are complete.
//
// A rank writes to its own part only, and nothing here is an atomic read-modify-write, but for fence().
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/machine.hpp"
#include "coll/shm/rings.hpp"

namespace cow::coll::shm {

class Slots {
 public:
  using Number = std::uint32_t;

  // What a rank can publish in one round: in its slot, in the small ring, in the large ring, or, where there is none, in one
  // of its buffers; and how many slots and buffers it uses in turn.
  static constexpr std::size_t inline_bytes = 56, small_bytes = SmallRing::most, buffer_bytes = 32768;
  static constexpr std::size_t large_bytes = LargeRing::most;
  static constexpr Number per_rank = 256, buffers = 2;
  static constexpr Number between_processors = 16;  // rounds between two looks at where this rank runs

  // What a rank that sleeps waits for: that the ranks first … end - 1 have published round `number`. 0: nothing here.
  struct Want {
    Number number = 0;
    std::uint16_t first = 0, end = 0;
  };

  // Without large rings, and with them and what lies behind: nothing, for who reads as much as can be published where another
  // has published less, as ranks do that call different collectives.
  static std::size_t bytes_for(int ranks) { return offset_of_rings(ranks, ranks); }
  static std::size_t bytes_with_large_rings(int ranks) {
    return bytes_for(ranks) + bytes_of_large_rings(ranks) + large_bytes;
  }
  static std::size_t bytes_of_large_rings(int ranks) {
    return std::size_t{LargeRing::bytes} * static_cast<std::size_t>(ranks);
  }

  // `memory`: bytes_with_large_rings(size) bytes, at the start of a page; zero at first, as if all had published round 0.
  // Another first number, the same for all, is for tests.
  Slots(std::byte* memory, int rank, int size, Number first = 0)
      : memory_(memory), rank_(rank), size_(size), number_(first), known_(first) {
    for (Number n = 0; first != 0 && n < per_rank; ++n) slot_of(rank, first - n).number.store(first - n);
  }

  // From now on what does not fit into the small ring goes to the large one, which exists at all ranks. All say so between the
  // same two rounds.
  void use_large_ring() { has_large_ring_ = true; }

  // Where only this rank knows that it has much to publish, large rings are made later: in a round that is so far ahead that
  // nobody can reach it, or say that it is due, before it has seen the request. Asked between rounds, by all between the same
  // two.
  void request_large_ring() {
    std::atomic<Number>& from = part(rank_).large_ring_from;
    if (from.load(std::memory_order_relaxed) == 0) from.store((number_ + 2 * per_rank) | 1, std::memory_order_relaxed);
  }
  bool large_ring_is_due() const {
    for (int r = 0; r < size_; ++r)
      if (const Number from = part(r).large_ring_from.load(std::memory_order_relaxed);
          from != 0 && !before(number_, from))
        return true;
    return false;
  }

  int rank() const { return rank_; }
  int size() const { return size_; }
  Number number() const { return number_; }  // of the present round

  // ---- publishing

  // A new round, in which this rank will publish `bytes` bytes. The others see the kind, to check that it is theirs.
  void begin(std::size_t bytes, std::uint8_t kind = 0) {
    ++number_;
    bytes_ = bytes;
    kind_ = kind;
  }
  // Of a round that this rank has begun and not published yet: how much it will publish in it after all.
  void will_publish(std::size_t bytes) { bytes_ = bytes; }
  // All must have published this round before the place can be written.
  Number needed() const {
    const Number slot = number_ - depth() + 1;
    return has_place() ? slot : later(slot, ring([&](auto& ring) { return ring.blocked_by(bytes_); }) + 1);
  }
  // Who is ahead by all places waits until half of them are free again: else it would be woken for every single one.
  Number needed_after_wait() const {
    const Number slot = number_ - depth() / 2;
    return has_place() ? slot : later(needed(), ring([&](auto& ring) { return ring.blocked_half_by(bytes_); }) + 1);
  }
  bool may_write() {
    if (is_free()) return true;
    look();
    return is_free();
  }
  std::byte* place() {
    if (bytes_ <= inline_bytes) return slot_of(rank_, number_).data;
    return memory_of(rank_, number_, bytes_, ring([&](auto& ring) { return ring.next(bytes_); }));
  }
  // `complete`: nothing will be added.
  void publish(bool complete = false) {
    Slot& slot = slot_of(rank_, number_);
    if (in_ring(bytes_)) {
      const std::uint32_t at = ring([&](auto& ring) { return ring.next(bytes_); });
      std::memcpy(slot.data, &at, sizeof at);
      in_large_ring(bytes_) ? large_.take(bytes_, number_) : small_.take(bytes_, number_);
    }
    slot.said.store(static_cast<std::uint32_t>(bytes_) << 8 | (complete ? complete_bit : 0U) | kind_,
                    std::memory_order_relaxed);
    slot.number.store(number_, std::memory_order_release);
    claim(&slot_of(rank_, number_ + claimed_ahead));
    if (number_ % between_processors == 0 || where_ == 0) run_here();
  }
  // What was added in the present round to what was published is there.
  void complete() {
    Slot& slot = slot_of(rank_, number_);
    slot.said.store(slot.said.load(std::memory_order_relaxed) | complete_bit, std::memory_order_release);
  }

  // ---- seeing others

  bool has_published(int rank, Number number) const {
    return !before(slot_of(rank, number).number.load(std::memory_order_acquire), number);
  }
  // For who has found a rank in a round without waiting for it: it is ahead, and the slot of a later round can come already.
  void expect(int rank, Number number) const { __builtin_prefetch(&slot_of(rank, number + claimed_ahead)); }
  // All of first … end - 1; begins with `from`, which is then the first that has not.
  bool have_published(int& from, int end, Number number) const {
    while (from < end && has_published(from, number)) ++from;
    return from >= end;
  }
  bool have_published(const Want& want) const {
    int from = want.first;
    return have_published(from, want.end, want.number);
  }
  // What a rank that has published the present round, or the one before, published in it.
  const std::byte* data(int rank, Number number) const {
    if (bytes_of(rank, number) <= inline_bytes) return slot_of(rank, number).data;
    std::uint32_t at;
    std::memcpy(&at, slot_of(rank, number).data, sizeof at);
    return memory_of(rank, number, bytes_of(rank, number), at);
  }
  std::size_t bytes_of(int rank, Number number) const {
    const std::size_t bytes = slot_of(rank, number).said.load(std::memory_order_relaxed) >> 8;
    return std::min<std::size_t>(bytes, has_large_ring_ ? large_bytes : buffer_bytes);
  }
  std::uint8_t kind(int rank) const {
    return slot_of(rank, number_).said.load(std::memory_order_relaxed) & static_cast<std::uint8_t>(~complete_bit);
  }
  // Whether a rank that has published the round has added all.
  bool is_complete(int rank, Number number) const {
    return (slot_of(rank, number).said.load(std::memory_order_acquire) & complete_bit) != 0;
  }
  // It has been seen that all have published the present round.
  void all_have_come() { known_ = number_; }

  // ---- where ranks run

  void run_here() {
    const std::uint32_t here = processor_now();
    if (here != where_) part(rank_).where.store(where_ = here, std::memory_order_relaxed);
  }
  // Whether a rank that is behind, as it has not published the round, was last seen on this processor: then it needs it. If
  // not, all who share it wait for others, and nothing comes of giving it up.
  bool is_needed_here(Number number) const { return is_needed_here({number, 0, static_cast<std::uint16_t>(size_)}); }
  bool is_needed_here(const Want& want) const {
    const Number number = want.number;
    for (int r = want.first; r < want.end; ++r)
      if (part(r).where.load(std::memory_order_relaxed) == where_ && !has_published(r, number)) return true;
    return false;
  }

  // ---- who sleeps, and must be woken

  void want(const Want& want) {
    part(rank_).want.store(std::uint64_t{want.number} << 32 | std::uint32_t{want.first} << 16 | want.end,
                           std::memory_order_relaxed);
  }
  Want wanted_by(int rank) const {
    const std::uint64_t text = part(rank).want.load(std::memory_order_relaxed);
    return {static_cast<Number>(text >> 32), static_cast<std::uint16_t>(text >> 16), static_cast<std::uint16_t>(text)};
  }
  // Whether what this rank has done ended the wait of another: to be asked behind a fence(), so that of two who publish at
  // once at least one sees both.
  bool has_fulfilled(const Want& want) const {
    return want.number != 0 && want.first <= rank_ && rank_ < want.end && have_published(want);
  }
  void fence() { fence_.fetch_add(1, std::memory_order_seq_cst); }

  // The part of the memory that begin(bytes) in this or the next rounds may write to; the pages of buffers
  // and of the large ring need not exist before.
  struct Range {
    std::size_t from, to;
  };
  Range small_part() const { return {offset_of_rings(rank_), offset_of_rings(rank_) + large_offset}; }
  Range buffer_part() const { return {offset_of_rings(rank_) + large_offset, offset_of_rings(rank_ + 1)}; }
  Range large_ring_part() const { return {offset_of_large_rings(rank_), offset_of_large_rings(rank_ + 1)}; }
  Range all_slots() const { return {0, offset_of_rings(0)}; }
  static constexpr bool is_large(std::size_t bytes) { return bytes > small_bytes; }
  static constexpr bool needs_large_ring(std::size_t bytes) { return bytes > buffer_bytes; }

 private:
  static constexpr std::size_t line_bytes = 64;
  static constexpr std::size_t large_offset = SmallRing::bytes;
  static constexpr std::size_t page_bytes = largest_page;
  static constexpr std::uint32_t complete_bit = 0x80;
  static constexpr std::size_t rings_bytes = large_offset + buffers * buffer_bytes;

  struct alignas(line_bytes) Slot {
    std::atomic<Number> number;
    std::atomic<std::uint32_t> said;  // bytes; whether they are complete; kind
    alignas(8) std::byte data[inline_bytes];
  };
  static_assert(large_bytes < 1 << 24);
  static_assert(sizeof(Slot) == line_bytes);
  struct Part {
    alignas(line_bytes) std::atomic<std::uint64_t> want;
    std::atomic<std::uint32_t> where;     // processor + 1; 0: not known
    std::atomic<Number> large_ring_from;  // a round from which on this rank requests large rings; 0: it does not
    Slot slots[per_rank];
  };

  // Takes a slot back from those who have read what last stood in it, while there is time: else the next number written
  // there waits for that. (The compiler's own prefetch for writing does not, for processors of any age.)
  static constexpr Number claimed_ahead = 2;
  static void claim(Slot* slot) {
#ifdef __x86_64__
    asm volatile("prefetchw %0" : : "m"(*slot));
#else
    __builtin_prefetch(slot, 1);
#endif
  }

  static std::uint32_t processor_now() { return static_cast<std::uint32_t>(sched_getcpu() + 1); }
  static bool before(Number a, Number b) { return static_cast<std::int32_t>(a - b) < 0; }  // numbers go around
  static Number later(Number a, Number b) { return before(a, b) ? b : a; }
  bool in_large_ring(std::size_t bytes) const { return bytes > small_bytes && has_large_ring_; }
  bool in_ring(std::size_t bytes) const { return bytes > inline_bytes && (bytes <= small_bytes || has_large_ring_); }
  // What `ask` finds of the ring that the present round goes to, if it goes to one.
  template <class Ask>
  std::uint32_t ring(Ask ask) const {
    return in_large_ring(bytes_) ? ask(large_) : ask(small_);
  }
  Number depth() const { return bytes_ <= small_bytes || has_large_ring_ ? per_rank : buffers; }
  bool has_place() const {
    return !in_ring(bytes_) || (in_large_ring(bytes_) ? large_.fit(bytes_) : small_.fit(bytes_));
  }
  void release() { in_large_ring(bytes_) ? large_.release_until(known_) : small_.release_until(known_); }
  bool is_free() {
    if (before(known_, number_ - depth() + 1)) return false;
    if (has_place()) return true;
    release();
    return has_place();
  }

  Part& part(int rank) const { return reinterpret_cast<Part*>(memory_)[rank]; }
  Slot& slot_of(int rank, Number number) const { return part(rank).slots[number % per_rank]; }
  static std::size_t offset_of_rings(int rank, int size) {
    const std::size_t parts =
        (sizeof(Part) * static_cast<std::size_t>(size) + page_bytes - 1) / page_bytes * page_bytes;
    return parts + rings_bytes * static_cast<std::size_t>(rank);
  }
  std::size_t offset_of_rings(int rank) const { return offset_of_rings(rank, size_); }
  std::size_t offset_of_large_rings(int rank) const {
    return bytes_for(size_) + std::size_t{LargeRing::bytes} * static_cast<std::size_t>(rank);
  }
  // `at`: where in its ring, if it is in one.
  std::byte* memory_of(int rank, Number number, std::size_t bytes, std::uint32_t at) const {
    if (in_large_ring(bytes)) return memory_ + offset_of_large_rings(rank) + at % LargeRing::bytes;
    std::byte* const ring = memory_ + offset_of_rings(rank);
    if (bytes <= small_bytes) return ring + at % SmallRing::bytes;
    return ring + large_offset + number % buffers * buffer_bytes;
  }

  // Learns which round all have published, as far as it matters, so that it need not be asked again for a while.
  void look() {
    release();
    const Number least = needed();
    Number more = needed_after_wait() - least;
    while (more > 0 && !all_have_published(least + more)) more /= 2;
    if (more > 0 || all_have_published(least)) known_ = later(known_, least + more);
  }
  bool all_have_published(Number number) const {
    int from = 0;
    return have_published(from, size_, number);
  }

  std::byte* memory_;
  int rank_;
  int size_;
  Number number_;
  Number known_;  // all have published it
  SmallRing small_;
  LargeRing large_;
  bool has_large_ring_ = false;
  std::size_t bytes_ = 0;
  std::uint8_t kind_ = 0;
  std::uint32_t where_ = 0;
  std::atomic<std::uint32_t> fence_{0};
};

}  // namespace cow::coll::shm
