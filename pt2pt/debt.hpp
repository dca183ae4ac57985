// Debts: sends that give the buffer back to the program before the message has left. What such a message is read from then,
// and what that may take of memory.
//
//   send_mode.cpp  which mode a send goes by
//   debt.cpp       copies, snapshots, and the end of debts
//   patience.cpp   sends of mode `auto` that wait for a while first
#pragma once

#include "pt2pt/engine.hpp"
#include "pt2pt/send_mode.hpp"

namespace cow::pt2pt {

// It owns what the bytes are read from.
struct Debt : Send {
  Debt();
  void* copy = nullptr;
  std::size_t copy_size = 0;  // bytes, for the account
  std::size_t kept_size = 0;  // likewise, in a snapshot
  bool owes = false;          // the buffer is, or will be, the program's before the message has left

  // Of one that waits first: the buffer is still the program's, and the message has been offered from there.
  wire::Whereabouts whereabouts;
  Nanoseconds asked_since = 0;  // when the program began to wait; 0: it does not yet
  Nanoseconds next_step = 0;    // when something is to be done about it
  std::size_t copied = 0;       // bytes that are in `copy` by now
  bool over_limit = false;      // there was no room for it
  bool uncovered = false;       // snapshots do not keep this memory
  Links<Debt> patient;          // with patience.cpp
};

Debt* make_debt();
void owe(Debt& debt);  // MPI_Finalize waits for it

// Memory for a copy within the limit, whose bytes are not there yet; false: there is none.
bool take_room(Debt& debt, std::size_t size);
void give_room_back(Debt& debt);

// Whether pages that the program may write of so large a message fit into the limit.
bool room_for_snapshot(std::size_t size);
// A snapshot that keeps the message of these arguments; false: there is none of that memory.
bool take_snapshot(Debt& debt, const SendArgs& args, std::size_t size);

// The arguments of a send of the packed bytes.
SendArgs of_copy(const SendArgs& args, const void* copy, std::size_t size);
// From now on the message is what `copy` holds.
void send_from_copy(Debt& debt);
// An eager message that waits (for credit, for the connection) is taken out of the program's buffer. False: no room.
bool take_out_of_buffer(Debt& debt);

extern const RequestKind debt_kind;

}  // namespace cow::pt2pt
