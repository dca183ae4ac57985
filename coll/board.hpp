// The board: memory that all ranks of a communicator on one node map, on which small collectives are done without
// messages. Here stands what lies where and the rules by which it is written; coll/node_area.hpp does collectives on it.
//
// Collectives on the board (or the rounds of a long one) are numbered. Each rank enters each of them by writing the number
// into a line of its own, behind whatever it gives: a few bytes in the line itself, which then moves in one cache line
// together with its number, or more in a room. Whoever needs what others give waits until he sees their numbers.
//
// Lines and rooms are used in turn, so that a rank may be ahead of those who still read. Who has entered round n has left
// all before it; so a place that was last used k rounds ago may be written again when all have entered the round after
// that one. Where everybody waits for everybody this is so without looking. There are many lines, for the sake of ranks
// that share a processor: of two who hand it to each other each goes through as many rounds as there are lines free, and
// a switch takes as long as twenty rounds.
//
// What a rank gives may be added to after it has entered: first its own, then what it has made of that and of the others'.
//
// A rank writes to its own part only, and nothing here is an atomic read-modify-write, but for fence().
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "coll/rooms.hpp"

namespace cow::coll {

class Board {
 public:
  using Number = std::uint32_t;

  // What a rank can give in one round: in its line, in a small room, in a hall, or, without halls, in a large room; and how
  // many lines and large rooms it uses in turn.
  static constexpr std::size_t inline_bytes = 56, small_bytes = Rooms::most, most_bytes = 32768;
  static constexpr std::size_t hall_bytes = Halls::most;
  static constexpr Number lines = 256, larges = 2;
  static constexpr Number between_processors = 16;  // rounds between two looks at where this rank runs

  // What a rank that sleeps waits for: that the ranks first … end - 1 have entered round `number`. 0: nothing here.
  struct Want {
    Number number = 0;
    std::uint16_t first = 0, end = 0;
  };

  // Without halls, and with them and what lies behind: nothing, for who reads a whole hall where another has given less, as
  // ranks do that call different collectives.
  static std::size_t bytes_for(int ranks) { return offset_of_rooms(ranks, ranks); }
  static std::size_t bytes_with_halls(int ranks) { return bytes_for(ranks) + bytes_of_halls(ranks) + hall_bytes; }
  static std::size_t bytes_of_halls(int ranks) { return std::size_t{Halls::bytes} * static_cast<std::size_t>(ranks); }

  // `memory`: bytes_with_halls(size) bytes, at the start of a page; zero at first, as if all had entered round 0. Another
  // first number, the same for all, is for tests.
  Board(std::byte* memory, int rank, int size, Number first = 0)
      : memory_(memory), rank_(rank), size_(size), number_(first), known_(first) {
    for (Number n = 0; first != 0 && n < lines; ++n) line_of(rank, first - n).number.store(first - n);
  }

  // From now on what does not fit into a small room goes to halls, which exist at all ranks. All say so between the same two
  // rounds.
  void use_halls() { has_halls_ = true; }

  // Where only this rank knows that it has much to give, halls are made later: in a round that is so far ahead that nobody
  // can reach it, or say that it is due, before he has seen the wish. Asked between rounds, by all between the same two.
  void wish_for_halls() {
    std::atomic<Number>& wish = part(rank_).halls_from;
    if (wish.load(std::memory_order_relaxed) == 0) wish.store((number_ + 2 * lines) | 1, std::memory_order_relaxed);
  }
  bool halls_are_due() const {
    for (int r = 0; r < size_; ++r)
      if (const Number from = part(r).halls_from.load(std::memory_order_relaxed); from != 0 && !before(number_, from)) return true;
    return false;
  }

  int rank() const { return rank_; }
  int size() const { return size_; }
  Number number() const { return number_; }  // of the present round

  // ---- entering

  // A new round, in which this rank will give `bytes` bytes. The others see the kind, to check that it is theirs.
  void begin(std::size_t bytes, std::uint8_t kind = 0) {
    ++number_;
    bytes_ = bytes;
    kind_ = kind;
  }
  // Of a round that this rank has begun and not entered yet: what it will give in it after all.
  void will_give(std::size_t bytes) { bytes_ = bytes; }
  // All must have entered this round before the place can be written.
  Number needed() const {
    const Number line = number_ - depth() + 1;
    return has_room() ? line : later(line, ring([&](auto& rooms) { return rooms.blocked_by(bytes_); }) + 1);
  }
  // Who is ahead by all places waits until half of them are free again: else he would be woken for every single one.
  Number needed_after_wait() const {
    const Number line = number_ - depth() / 2;
    return has_room() ? line : later(needed(), ring([&](auto& rooms) { return rooms.blocked_half_by(bytes_); }) + 1);
  }
  bool may_write() {
    if (is_free()) return true;
    look();
    return is_free();
  }
  std::byte* place() {
    if (bytes_ <= inline_bytes) return line_of(rank_, number_).data;
    return memory_of(rank_, number_, bytes_, ring([&](auto& rooms) { return rooms.next(bytes_); }));
  }
  // `whole`: nothing will be added.
  void enter(bool whole = false) {
    Line& line = line_of(rank_, number_);
    if (in_ring(bytes_)) {
      const std::uint32_t at = ring([&](auto& rooms) { return rooms.next(bytes_); });
      std::memcpy(line.data, &at, sizeof at);
      in_hall(bytes_) ? halls_.take(bytes_, number_) : small_.take(bytes_, number_);
    }
    line.given.store(static_cast<std::uint32_t>(bytes_) << 8 | (whole ? whole_bit : 0U) | kind_, std::memory_order_relaxed);
    line.number.store(number_, std::memory_order_release);
    claim(&line_of(rank_, number_ + claimed_ahead));
    if (number_ % between_processors == 0 || where_ == 0) run_here();
  }
  // What was added in the present round, behind what was given on entering, is there.
  void complete() {
    Line& line = line_of(rank_, number_);
    line.given.store(line.given.load(std::memory_order_relaxed) | whole_bit, std::memory_order_release);
  }

  // ---- seeing others

  bool has_entered(int rank, Number number) const {
    return !before(line_of(rank, number).number.load(std::memory_order_acquire), number);
  }
  // For who has found a rank in a round without waiting for it: it is ahead, and the line of a later round can come already.
  void expect(int rank, Number number) const { __builtin_prefetch(&line_of(rank, number + claimed_ahead)); }
  // All of first … end - 1; begins with `from`, which is then the first that has not.
  bool have_entered(int& from, int end, Number number) const {
    while (from < end && has_entered(from, number)) ++from;
    return from >= end;
  }
  bool have_entered(const Want& want) const {
    int from = want.first;
    return have_entered(from, want.end, want.number);
  }
  // What a rank that has entered the present round, or the one before, gave in it.
  const std::byte* given(int rank, Number number) const {
    if (given_bytes(rank, number) <= inline_bytes) return line_of(rank, number).data;
    std::uint32_t at;
    std::memcpy(&at, line_of(rank, number).data, sizeof at);
    return memory_of(rank, number, given_bytes(rank, number), at);
  }
  std::size_t given_bytes(int rank, Number number) const {
    const std::size_t bytes = line_of(rank, number).given.load(std::memory_order_relaxed) >> 8;
    return std::min<std::size_t>(bytes, has_halls_ ? hall_bytes : most_bytes);
  }
  std::uint8_t kind(int rank) const {
    return line_of(rank, number_).given.load(std::memory_order_relaxed) & static_cast<std::uint8_t>(~whole_bit);
  }
  // Whether a rank that has entered the round has added all.
  bool is_whole(int rank, Number number) const {
    return (line_of(rank, number).given.load(std::memory_order_acquire) & whole_bit) != 0;
  }
  // It has been seen that all have entered the present round.
  void all_are_in() { known_ = number_; }

  // ---- where ranks run

  void run_here() {
    const std::uint32_t here = processor_now();
    if (here != where_) part(rank_).where.store(where_ = here, std::memory_order_relaxed);
  }
  // Whether somebody who is behind, as he has not entered the round, was last seen on this processor: then he needs it. If
  // not, all who share it wait for others, and nothing comes of giving it up.
  bool is_needed_here(Number number) const { return is_needed_here({number, 0, static_cast<std::uint16_t>(size_)}); }
  bool is_needed_here(const Want& want) const {
    const Number number = want.number;
    for (int r = want.first; r < want.end; ++r)
      if (part(r).where.load(std::memory_order_relaxed) == where_ && !has_entered(r, number)) return true;
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
  // Whether what this rank has done ended the wait of another: to be asked behind a fence(), so that of two who enter at
  // once at least one sees both.
  bool has_fulfilled(const Want& want) const {
    return want.number != 0 && want.first <= rank_ && rank_ < want.end && have_entered(want);
  }
  void fence() { fence_.fetch_add(1, std::memory_order_seq_cst); }

  // The part of the memory that begin(bytes) in this or the next rounds may write to; the pages of large rooms and
  // of halls need not exist before.
  struct Range {
    std::size_t from, to;
  };
  Range small_part() const { return {offset_of_rooms(rank_), offset_of_rooms(rank_) + large_offset}; }
  Range large_part() const { return {offset_of_rooms(rank_) + large_offset, offset_of_rooms(rank_ + 1)}; }
  Range hall_part() const { return {offset_of_halls(rank_), offset_of_halls(rank_ + 1)}; }
  Range all_lines() const { return {0, offset_of_rooms(0)}; }
  static constexpr bool is_large(std::size_t bytes) { return bytes > small_bytes; }
  static constexpr bool needs_hall(std::size_t bytes) { return bytes > most_bytes; }

 private:
  static constexpr std::size_t line_bytes = 64;
  static constexpr std::size_t large_offset = Rooms::bytes;
  static constexpr std::size_t page_bytes = 4096;
  static constexpr std::uint32_t whole_bit = 0x80;
  static constexpr std::size_t rooms_bytes = large_offset + larges * most_bytes;

  struct alignas(line_bytes) Line {
    std::atomic<Number> number;
    std::atomic<std::uint32_t> given;  // bytes; whether it is whole; kind
    alignas(8) std::byte data[inline_bytes];
  };
  static_assert(hall_bytes < 1 << 24);
  static_assert(sizeof(Line) == line_bytes);
  struct Part {
    alignas(line_bytes) std::atomic<std::uint64_t> want;
    std::atomic<std::uint32_t> where;  // processor + 1; 0: not known
    std::atomic<Number> halls_from;    // a round from which on this rank would like halls to be used; 0: no wish
    Line lines[Board::lines];
  };

  // Takes a line back from those who have read what last stood in it, while there is time: else the next number written
  // there waits for that. (The compiler's own prefetch for writing does not, for processors of any age.)
  static constexpr Number claimed_ahead = 2;
  static void claim(Line* line) {
#ifdef __x86_64__
    asm volatile("prefetchw %0" : : "m"(*line));
#else
    __builtin_prefetch(line, 1);
#endif
  }

  static std::uint32_t processor_now() { return static_cast<std::uint32_t>(sched_getcpu() + 1); }
  static bool before(Number a, Number b) { return static_cast<std::int32_t>(a - b) < 0; }  // numbers go around
  static Number later(Number a, Number b) { return before(a, b) ? b : a; }
  bool in_hall(std::size_t bytes) const { return bytes > small_bytes && has_halls_; }
  bool in_ring(std::size_t bytes) const { return bytes > inline_bytes && (bytes <= small_bytes || has_halls_); }
  // What `ask` finds of the ring that the present round goes to, if it goes to one.
  template <class Ask>
  std::uint32_t ring(Ask ask) const {
    return in_hall(bytes_) ? ask(halls_) : ask(small_);
  }
  Number depth() const { return bytes_ <= small_bytes || has_halls_ ? lines : larges; }
  bool has_room() const {
    return !in_ring(bytes_) || (in_hall(bytes_) ? halls_.fit(bytes_) : small_.fit(bytes_));
  }
  void release() { in_hall(bytes_) ? halls_.release_until(known_) : small_.release_until(known_); }
  bool is_free() {
    if (before(known_, number_ - depth() + 1)) return false;
    if (has_room()) return true;
    release();
    return has_room();
  }

  Part& part(int rank) const { return reinterpret_cast<Part*>(memory_)[rank]; }
  Line& line_of(int rank, Number number) const { return part(rank).lines[number % lines]; }
  static std::size_t offset_of_rooms(int rank, int size) {
    const std::size_t parts = (sizeof(Part) * static_cast<std::size_t>(size) + page_bytes - 1) / page_bytes * page_bytes;
    return parts + rooms_bytes * static_cast<std::size_t>(rank);
  }
  std::size_t offset_of_rooms(int rank) const { return offset_of_rooms(rank, size_); }
  std::size_t offset_of_halls(int rank) const {
    return bytes_for(size_) + std::size_t{Halls::bytes} * static_cast<std::size_t>(rank);
  }
  // `at`: where in its ring, if it is in one.
  std::byte* memory_of(int rank, Number number, std::size_t bytes, std::uint32_t at) const {
    if (in_hall(bytes)) return memory_ + offset_of_halls(rank) + at % Halls::bytes;
    std::byte* const rooms = memory_ + offset_of_rooms(rank);
    if (bytes <= small_bytes) return rooms + at % Rooms::bytes;
    return rooms + large_offset + number % larges * most_bytes;
  }

  // Learns which round all have entered, as far as it matters, so that it need not be asked again for a while.
  void look() {
    release();
    const Number least = needed();
    Number more = needed_after_wait() - least;
    while (more > 0 && !all_have_entered(least + more)) more /= 2;
    if (more > 0 || all_have_entered(least)) known_ = later(known_, least + more);
  }
  bool all_have_entered(Number number) const {
    int from = 0;
    return have_entered(from, size_, number);
  }

  std::byte* memory_;
  int rank_;
  int size_;
  Number number_;
  Number known_;  // all have entered it
  Rooms small_;
  Halls halls_;
  bool has_halls_ = false;
  std::size_t bytes_ = 0;
  std::uint8_t kind_ = 0;
  std::uint32_t where_ = 0;
  std::atomic<std::uint32_t> fence_{0};
};

}  // namespace cow::coll
