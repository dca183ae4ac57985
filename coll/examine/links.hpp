// The deliveries of an examined collective, routed over a layout.
#pragma once

#include "coll/examine/machine.hpp"

namespace cow::coll {

struct RoundLoad {
  int messages = 0;
  int hops = 0;           // longest way
  Count bytes = 0;        // largest message
  int link_messages = 0;  // messages over the busiest directed link
  Count link_bytes = 0;   // bytes over the busiest directed link
  double time = 0;        // predicted, without reducing and copying
};

struct LinkReport {
  std::vector<RoundLoad> rounds;
  std::vector<Count> link_totals;  // bytes over each link, see Layout::route
  double time = 0;
  // The largest over all rounds.
  int dilation = 0;
  int link_messages = 0;
  Count busiest_total = 0;  // bytes over the link that carries most in all
};

LinkReport route(Outcome outcome, const Wires& wires, const Model& model);

}  // namespace cow::coll
