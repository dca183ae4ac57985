// The registry: each algorithm once, with what the choice and the examiner need to know of it. How it is run at once
// stands in run.hpp and execute/shm/run.hpp, so that this part needs no transport.
#pragma once

#include <span>
#include <string_view>

#include "coll/core/collective.hpp"
#include "coll/core/model.hpp"
#include "coll/core/schedule.hpp"

namespace cow::coll {

struct Algorithm {
  Collective collective;
  const char* name;
  bool (*valid)(const Problem&);  // for messages it depends on size, commutativity and layout alone, never on bytes
  void (*cost)(Cost&, const Problem&);  // adds up the steps of the busiest rank
  void (*record)(Recorder&, const Args&);
  bool on_memory = false;        // on the memory that the ranks share: a way of coll/shm
  bool parts_on_memory = false;  // its parts inside of nodes can go by the memory that their ranks share
  bool fixed_order =
      false;  // of a reduction: combines in the order of Fold (algorithms/common.hpp), whatever the root, sizes and places
};

// All algorithms; the index of one is its number everywhere in this process.
std::span<const Algorithm> algorithms();

// Those on memory come last: the number of the first of them.
extern const std::size_t first_way_on_memory;

// The one of that name, or null.
const Algorithm* find_algorithm(Collective collective, std::string_view name);

double predicted_time(const Algorithm& algorithm, const Problem& problem, const Model& model, Patterns* patterns);

}  // namespace cow::coll
