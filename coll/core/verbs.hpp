// The verbs that every collective algorithm is written on, and what stands behind them.
//
// An algorithm is one function template, `template <class V> static void run(V& v, const Args& a)`. V is either Run,
// which does each verb at once over pt2pt (a blocking call), or Recorder, which writes it down (a nonblocking or
// persistent call, or an examination of an imagined machine). The control flow of an algorithm depends on its
// arguments, on rank and size and layout, never on data, so that the same text serves all uses.
//
//   v.rank()  v.size()           who this is, among how many
//   v.layout()                   how the ranks are wired; null when nothing is known (take it as a switch)
//   v.nodes()                    which ranks share a node; null when nothing is known
//   v.at(address, i)             the address of unit i
//   v.post_send(to, addr, n)     begin to send n units; the buffer is left alone until the step ends
//   v.post_recv(from, addr, n)   begin to receive exactly n units
//   v.step()                     wait for everything posted since the last step
//   v.send  v.recv               posted, with a step behind it
//   v.exchange(to, sa, sn, from, ra, rn)   both at once, with a step behind it
//   v.copy(to, from, n)          n units; nothing when the addresses are equal
//   v.reduce(left, right, n)     right = left op right, unit by unit
//   v.scratch(n)                 room for n units until the algorithm ends
//   v.commutative()  v.unit_size()   of the operation; bytes of data in a unit
//
// The sends and receives also take a datatype in place of the unit (`v.post_send(to, addr, n, type)`), for collectives
// whose blocks differ in type; v.transfer() copies between two types, and nothing when addresses, types and lengths are equal.
//
// Messages between two ranks are matched in the order posted. A failing verb is remembered (the first one is the
// collective's error) and the others still run, so that one bad buffer does not leave the other ranks waiting.
#pragma once

#include <bit>
#include <cstdint>

namespace cow {
struct Datatype;
struct Neighbours;
struct Op;
}  // namespace cow

namespace cow::coll {

using Address = std::uintptr_t;  // of memory, or of an examiner's imagined memory: algorithms compute, never look
using Count = std::int64_t;

// What the verbs count in: bytes for collectives that only move data, elements for those that reduce.
struct Unit {
  Datatype* type = nullptr;  // null: bytes
  Op* op = nullptr;
  Count extent = 1;       // bytes from one unit to the next
  Count size = 1;         // bytes of data in a unit
  Count true_lb = 0;      // first byte that a unit touches, from its address
  Count true_extent = 1;  // bytes that a unit touches
  bool commutative = true;
  // Of a predefined operation: right = left op right for n units.
  void (*combine)(const void* left, void* right, Count n) = nullptr;

  // The bytes that n units touch: how many, and where the first lies, from their address. Extents may be negative.
  Count span(Count n) const { return n > 0 ? true_extent + (n - 1) * (extent < 0 ? -extent : extent) : 0; }
  Count first(Count n) const { return true_lb + (extent < 0 && n > 0 ? (n - 1) * extent : 0); }
};

// The arguments of a collective. Which fields matter is said in collective.hpp. Counts and displacements are in units.
struct Args {
  Address send = 0;  // in place: equal to recv, or to the own block in the other buffer
  Address recv = 0;
  Count count = 0;
  int root = 0;
  int remote = 0;                 // intercommunicators: ranks of the other group; what counts and displs are of
  Count send_count = 0;           // intercommunicators: of a block sent, where it may differ from `count`
  const Count* counts = nullptr;  // one a rank
  const Count* displs = nullptr;
  const Count* send_counts = nullptr;
  const Count* send_displs = nullptr;
  Datatype* type = nullptr;  // of blocks that are not counted in units; null: the unit
  Datatype* send_type = nullptr;
  Datatype* const* types = nullptr;  // one a rank
  Datatype* const* send_types = nullptr;
  const Neighbours* neighbours = nullptr;  // neighbourhood collectives: what counts and displs are of
};

// A vector of n units cut into as many blocks as there are ranks, as equal as they come.
struct EvenBlocks {
  Count n;
  int parts;
  Count offset(int i) const { return n / parts * i + (i < n % parts ? i : n % parts); }
  Count length(int i) const { return n / parts + (i < n % parts ? 1 : 0); }
  Count length(int from, int to) const { return offset(to) - offset(from); }  // blocks from … to - 1
};

// Blocks of one length.
struct EqualBlocks {
  Count block;
  Count offset(int i) const { return block * i; }
  Count length(int) const { return block; }
  Count length(int from, int to) const { return block * (to - from); }
};

// Blocks given one by one.
struct GivenBlocks {
  const Count* counts;
  const Count* displs;
  Count offset(int i) const { return displs[i]; }
  Count length(int i) const { return counts[i]; }
};

// Whether data to be copied is where it shall go already, as in place. Equal addresses alone do not say that: types may name
// other bytes from the same address on, as they do from MPI_BOTTOM.
inline bool same_data(Address to, Count to_n, const Datatype* to_type, Address from, Count from_n,
                      const Datatype* from_type) {
  return to == from && to_n == from_n && to_type == from_type;
}

inline int log2_ceil(int n) { return n <= 1 ? 0 : static_cast<int>(std::bit_width(static_cast<unsigned>(n - 1))); }
inline int log2_floor(int n) { return static_cast<int>(std::bit_width(static_cast<unsigned>(n))) - 1; }
inline bool power_of_two(int n) { return std::has_single_bit(static_cast<unsigned>(n)); }
inline int modulo(int a, int n) { return ((a % n) + n) % n; }

}  // namespace cow::coll
