// An imagined machine on which a recorded collective is run symbolically.
//
// Each rank has three kinds of memory: what it sends, what it receives into, and scratch. A cell holds a value:
// nothing, or a product of terms, a term being one element of one rank's contribution. Sending, copying and reducing
// move and multiply values; afterwards each rank must hold exactly what the collective promises. A value is a hash that
// respects the order of the factors (or does not, for a commutative operation): products of the same terms in the same
// order are equal, others differ but for a chance of about 2^-60.
//
// The machine is strict. A message must be matched by one of exactly its length; a send is finished only when it has
// been received, so an algorithm that relies on buffering deadlocks; what a pending receive will fill reads as nothing,
// and what a pending send reads must not change; memory outside of the buffers must not be touched, nor what is only
// sent. On memory that ranks share (coll/shm) the rules are those of slots.hpp.
#pragma once

#include <string>
#include <vector>

#include "coll/select/registry.hpp"

namespace cow::coll {

// A collective on an imagined machine. In units of one byte each.
struct Case {
  const Algorithm* algorithm;
  int size = 1;
  Count count = 0;  // as in Args; for the v variants rank r's block has uneven_block(r, count) units
  int root = 0;
  bool in_place = false;
  bool commutative = true;
  const Layout* layout = nullptr;
  const Nodes* nodes = nullptr;
  const shm::Terms* memory = nullptr;  // of a way on memory that all ranks share
};

inline Count uneven_block(int rank, Count count) { return (count * (rank % 3) + rank % 2 + 1) / 2; }

// A message as it went, for the link loads: `round` is the length of the longest chain of steps that led to it.
struct Delivery {
  int from;
  int to;
  int round;
  Count bytes;
};

struct Outcome {
  std::string wrong;  // what is wrong, at which rank; empty when all is right
  std::vector<Delivery> deliveries;
  int rounds = 0;
};

// Records the algorithm for all ranks, runs it and checks the result.
Outcome examine(const Case& c, bool keep_deliveries = false);

// Only the messages: nothing but their sizes is followed, for machines and vectors too large to check. Not in place.
Outcome measure(const Case& c);

}  // namespace cow::coll
