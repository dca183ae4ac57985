// What each send mode is predicted to cost, from measured numbers: the choice of the mode `auto`, and its table.
#pragma once

#include <cstddef>
#include <string>

#include "objects/comm.hpp"

namespace cow::pt2pt {

// Times in microseconds, or microseconds a byte.
struct SendCosts {
  double alpha = 1.0, beta = 0.0002;  // a message that is not kept: its start, a byte of it
  double keep = 0.0003;               // a byte that is copied into fresh memory
  double snapshot = 300;              // taking and ending one
  double resident = 0.00005;          // for each byte that is resident
};

// Those of messages within the node and between nodes; set at the start.
extern SendCosts near_costs, far_costs;

// The least message, in bytes, that `cow` takes a snapshot for.
inline constexpr std::size_t least_snapshot = 1 << 20;

// How long a send is predicted to keep its program, and its receiver, in all: the time until the buffer is the program's
// again plus that until the message is there.
//   lateness  us that the receiver is expected to come after the offer
//   resident  bytes of this process
double predict(GiveBack mode, const SendCosts& costs, std::size_t size, double lateness, std::size_t resident);

// The cheapest of notify, copy and cow.
GiveBack choose_give_back(const SendCosts& costs, std::size_t size, double lateness, std::size_t resident);

// For people: sizes, what each mode costs when the receiver waits already and when it comes late, and the choice.
std::string describe_send_costs(const SendCosts& costs, double lateness, std::size_t resident);

}  // namespace cow::pt2pt
