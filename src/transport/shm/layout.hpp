// The segment that the ranks of a node share: what lies where, and who writes it.
//
//   SegmentHead            who the segment belongs to; every rank writes the same into it
//   rank_entries[count]       per rank: a RankEntry, then its bells (a bit per sender) and its listening flags (a byte per sender)
//   fifos[count][count]    by receiver, then sender: a Fifo, LINES lines, DATA bytes
//
// A fifo carries the messages of one ordered pair. A line is a wire::Header and up to 32 bytes of body: such a message
// moves in one cache line, together with the number that tells that it is new. Longer bodies stand in the data part, in
// one piece, and the line says where. Only the sender writes lines and data, only the receiver writes `taken`, and
// neither does an atomic read-modify-write.
//
// Of the header, `sender`, `token` and `sequence` have no use inside a fifo, which names the sender and keeps the order;
// their places hold the turn, the size of the body and its place among the data, and how many lines of the fifo that
// leads the other way its writer has taken.
//
// The file is as large as all fifos together, but pages of it come into being when they are first written: a pair that
// exchanges nothing has none, a pair that exchanges small messages has three.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/machine.hpp"
#include "transport/wire.hpp"

namespace cow::transport::shm {

inline constexpr std::size_t line_size = 64;
inline constexpr std::size_t page_size = largest_page;

// Each field is set once, from 0, by whoever comes first; the others check that they would have written the same.
struct SegmentHead {
  std::atomic<std::uint64_t> magic;  // "COWSEG" and the version of this layout
  std::atomic<std::uint64_t> job;    // runtime::Job::id
  std::atomic<std::uint64_t> shape;  // ranks of the node, lines and data of a fifo
  std::atomic<std::uint64_t> seal;   // SipHash of the above and of the node, under the job's key
};
inline constexpr std::uint64_t segment_magic = 0x0003'4745'5357'4f43;

enum class Presence : std::uint32_t { unknown = 0, here = 1, refused = 2 };

// How the owner of a RankEntry waits, and so how it is woken.
enum class Sleep : std::uint32_t { awake = 0, on_futex = 1, on_socket = 2 };

struct alignas(line_size) RankEntry {
  // Written once, by its owner, before `presence`.
  std::atomic<std::uint32_t> presence;  // a Presence
  std::uint32_t rank;                   // in MPI_COMM_WORLD
  std::int32_t pid;
  std::uint32_t window;         // credits that it gives to each sender
  std::uint64_t probe_address;  // in the owner's memory: where probe_value stands
  std::uint64_t probe_value;
  std::uint64_t socket;  // names the abstract socket that wakes it; 0: none
  std::uint64_t unused[2];
  std::atomic<std::uint32_t> processor;  // where it ran when it last looked, and 1; 0: not known. Written rarely
  std::uint32_t unused_too;

  // The owner sets it before it sleeps and clears it afterwards; a sender that wakes it clears it too. Read by every
  // sender after every message, written rarely: it stays in the senders' caches.
  alignas(line_size) std::atomic<std::uint32_t> asleep;  // a Sleep; also the futex
  // The listening flags follow (std::atomic<std::uint8_t>, one per sender): deaf means that the owner does not look at that
  // sender's fifo and wants its bell rung. Written by the owner, rarely.
};
static_assert(sizeof(RankEntry) == 2 * line_size);
inline constexpr std::size_t listening_offset = line_size + sizeof(std::uint32_t);
inline constexpr std::uint8_t deaf = 0;  // so a fresh segment is deaf to all
inline constexpr std::uint8_t listening = 1;

inline constexpr std::uint32_t withdrawal_places = 32;  // of a fifo

struct Fifo {
  alignas(line_size) std::atomic<std::uint32_t> taken;    // lines that the receiver has done with; written by it
  alignas(line_size) std::atomic<std::uint32_t> starved;  // 1: the sender waits for room; written by the sender

  // Of a copy for which the sender of this fifo wants help: see helping.hpp.
  alignas(line_size) std::atomic<std::uint64_t> claims;
  alignas(line_size) std::atomic<std::uint64_t> helped;

  // Which messages that wait at the receiver the sender has taken back, and which the receiver has accepted, by place:
  // see transport/withdrawal.hpp. Each is written by one end, and read by the other when it must know.
  alignas(line_size) std::atomic<std::uint32_t> withdrawn[withdrawal_places];
  alignas(line_size) std::atomic<std::uint32_t> accepted[withdrawal_places];
};

struct alignas(line_size) Line {
  wire::Header head;
  std::byte body[line_size - sizeof(wire::Header)];
};
static_assert(sizeof(Line) == line_size);
inline constexpr std::size_t inline_size = sizeof(Line::body);

inline constexpr std::uint32_t line_count = 128;  // a power of two
inline constexpr std::size_t fifo_stride = 64 * 1024;
inline constexpr std::size_t lines_offset = sizeof(Fifo);
inline constexpr std::size_t data_offset = lines_offset + line_count * line_size;
inline constexpr std::uint32_t data_units = (fifo_stride - data_offset) / line_size;  // the data part, in lines
static_assert((line_count & (line_count - 1)) == 0);
static_assert(data_units * line_size >= 2 * wire::max_message);

// The fields of a line that have another use than in wire::Header.
inline std::atomic_ref<std::uint32_t> turn_of(Line& line) { return std::atomic_ref(line.head.sender); }
struct Extent {
  std::uint16_t size;   // bytes
  std::uint16_t place;  // in units of line_size
};
static_assert(wire::max_body <= UINT16_MAX && data_units <= UINT16_MAX);
inline void set_extent(Line& line, Extent extent) { line.head.token = extent.size | std::uint32_t{extent.place} << 16; }
inline Extent extent_of(const Line& line) {
  return {static_cast<std::uint16_t>(line.head.token), static_cast<std::uint16_t>(line.head.token >> 16)};
}
inline std::uint32_t& taken_of(Line& line) { return line.head.sequence; }

// Where things are in a segment of `count` ranks.
struct Plan {
  explicit Plan(std::uint32_t ranks) : count(ranks) {
    constexpr auto round_up = [](std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; };
    bells_offset = round_up(listening_offset + count, line_size);
    rank_entry_stride = round_up(bells_offset + bell_words() * sizeof(std::uint64_t), line_size);
    rank_entries_size = round_up(line_size + count * rank_entry_stride, page_size);
    total = rank_entries_size + std::size_t{count} * count * fifo_stride;
  }
  std::size_t bell_words() const { return (count + 63) / 64; }
  std::size_t rank_entry(std::uint32_t index) const { return line_size + index * rank_entry_stride; }
  std::size_t fifo(std::uint32_t receiver, std::uint32_t sender) const {
    return rank_entries_size + (std::size_t{receiver} * count + sender) * fifo_stride;
  }

  std::uint32_t count;
  std::size_t bells_offset;  // from the RankEntry
  std::size_t rank_entry_stride;
  std::size_t rank_entries_size;  // of the head and all rank_entries: what every rank maps at the start
  std::size_t total;
};
static_assert(sizeof(SegmentHead) <= line_size);

}  // namespace cow::transport::shm
