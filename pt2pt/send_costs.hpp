// What each send mode is predicted to cost, from measured numbers: the choice of the mode `auto`, and its table.
#pragma once

#include <cstddef>
#include <string>

#include "objects/comm.hpp"

namespace cow::pt2pt {

// Times in microseconds, or microseconds a byte.
struct SendCosts {
  double alpha = 1.0, beta = 0.0002;  // a message that is not kept: its start, a byte of it
  double keep = 0.0001;               // a byte that is copied into memory which an earlier copy has left
  double fresh = 0.0006;              // a byte that is copied into fresh memory
  double snapshot = 600;              // taking and ending one
  double resident = 0.00003;          // for each byte that is resident
  double kept = 0.0004;               // a byte of a message that is read from a snapshot
  bool alone = true;  // a message that is kept moves while the program computes: its receiver reads it, or
                      // a thread sends it
};

// Those of messages within the node and between nodes; set at the start.
extern SendCosts near_costs, far_costs;

// The least message, in bytes, that `cow` takes a snapshot for.
inline constexpr std::size_t least_snapshot = 1 << 20;

// What is expected of a blocking send.
struct Expected {
  std::size_t size = 0;                  // of the message, in bytes
  std::size_t resident = 0;              // bytes of this process that are in memory
  double lateness = unknown;             // us that the receiver comes after the offer
  double pause = unknown;                // us that the program goes without waiting for anything after it has sent
  static constexpr double unknown = -1;  // then as long as the message takes
};

// What a copy or a snapshot takes.
double time_to_keep(BufferRelease mode, const SendCosts& costs, const Expected& expected);

// Bytes of this process that are in memory; read anew now and then.
std::size_t resident_bytes();

// The time from the call until the program has made its pause and the receiver has the message.
double predict(BufferRelease mode, const SendCosts& costs, const Expected& expected);

// The cheapest of notify, copy and cow; of those that are as good as the cheapest, within what a prediction is worth, the one
// that gives the buffer back soonest.
BufferRelease choose_buffer_release(const SendCosts& costs, const Expected& expected);

// For people: sizes, what each mode costs when the receiver waits already and when it comes late, and the choice.
std::string describe_send_costs(const SendCosts& costs, double lateness, std::size_t resident);

}  // namespace cow::pt2pt
