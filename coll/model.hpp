// What a collective costs, predicted: a machine's numbers, the traffic patterns of a layout, and the sum that each
// algorithm's cost function adds up step by step.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "coll/collective.hpp"
#include "coll/wires.hpp"

namespace cow::coll {

// The numbers of a machine. Times in microseconds; per-byte times in microseconds a byte.
struct Model {
  double alpha = 8.0;              // one message between nodes, start to end
  double beta = 0.0004;            // a byte on a link
  double node_alpha = 1.0;         // one message inside a node
  double node_beta = 0.00008;      // a byte of it
  double gamma = 0.00006;          // reducing a byte
  double copy = 0.00003;           // copying a byte
  double keep = 0.0003;            // copying a byte into fresh memory; this and the next two are for send modes
  double snapshot = 300;           // taking a snapshot of the process and ending it
  double resident = 0.00005;       // for each byte of the process that is in memory
  double hop = 0.1;                // one more link on the way
  bool store_and_forward = false;  // each link takes the whole message before the next; else wormhole
};

// Reads "alpha=3,beta=0.0002,hop=0.05" over the defaults; returns what is wrong, or an empty string.
std::string parse_model(std::string_view text, Model& out);

// The worst message of a step in which every rank sends one message of the same size.
struct Traffic {
  int hops = 0;  // longest way; 0: all messages stay inside of their nodes
  int load = 0;  // messages over the busiest directed link
};

// Names of patterns for Patterns::of: one number an algorithm, then its step.
enum class PatternName : std::int64_t { swing = 1, swing_short, dimension_exchange, bucket, bine, dimension, bine_butterfly };
inline std::int64_t pattern_name(PatternName family, int step) {
  return static_cast<std::int64_t>(family) << 32 | step;
}

// The traffic of regular patterns over wires, computed by routing every message, and remembered.
class Patterns {
 public:
  explicit Patterns(Wires wires) : wires_(std::move(wires)) {}
  const Wires& wires() const { return wires_; }
  Traffic shift(int distance);  // r to r + distance, around
  Traffic tree(int distance);   // every other multiple of distance to the next
  Traffic exchange(int mask);   // r to r ^ mask where both exist
  Traffic all();                // r to every other rank at once
  // Any other pattern: `name` stands for it, `to(rank, out)` appends whom a rank sends to.
  Traffic of(std::int64_t name, const std::function<void(int rank, std::vector<int>& out)>& to);

 private:
  template <class Partner>
  Traffic route(Partner partner);
  const Wires wires_;
  std::map<std::int64_t, Traffic> known_;
};

// The running sum of a cost function. Bytes are those of one message.
class Cost {
 public:
  // Without patterns: a switch, or the inside of a node.
  Cost(const Model& model, Patterns* patterns, bool inside = false)
      : model_(model), patterns_(patterns), flat_(inside ? Traffic{0, 1} : Traffic{2, 1}) {}

  // The two directions of a wire carry at once; inside a node both pass through the same memory, one after the other.
  // `both_ways`: ranks send and receive in the same step.
  void shift(int distance, double bytes, int times = 1, bool both_ways = true) {
    messages(patterns_ ? patterns_->shift(distance) : flat_, bytes, times, both_ways);
  }
  // A step of a binomial tree: those whose number is a multiple of 2 * distance, to those `distance` above them.
  void tree(int distance, double bytes) { messages(patterns_ ? patterns_->tree(distance) : flat_, bytes, 1, false); }
  void exchange(int mask, double bytes) { messages(patterns_ ? patterns_->exchange(mask) : flat_, bytes, 1, true); }
  void known(Traffic traffic, double bytes, int times = 1) { messages(traffic, bytes, times, true); }
  // `count` messages one rank sends or receives at once through its own link.
  void fan(int count, double bytes);
  void all(double bytes, int ranks);                           // everybody to everybody at once
  void starts(int more) { time_ += more * start(); }  // further messages a rank starts in the same steps
  void reduce(double bytes) { time_ += model_.gamma * bytes; }
  void copy(double bytes) { time_ += model_.copy * bytes; }

  // A part of the collective that is one inside each node, or one between nodes of which `sharing` go on at once:
  // part(Cost&) adds it up.
  template <class Part>
  void inside(Part part) {
    Cost cost(model_, nullptr, true);
    part(cost);
    add(cost);
  }
  template <class Part>
  void between(int sharing, Part part) {
    Cost cost(model_, nullptr);
    cost.flat_.load = sharing;
    part(cost);
    add(cost);
  }

  Patterns* patterns() { return patterns_; }  // null: a switch, over which flat() holds
  Traffic flat() const { return flat_; }
  double time() const { return time_; }
  int steps() const { return steps_; }

 private:
  void messages(Traffic traffic, double bytes, int times, bool both_ways);
  void add(const Cost& part) { time_ += part.time_, steps_ += part.steps_; }
  double start() const;  // of a further message in the same step

  const Model& model_;
  Patterns* patterns_;
  Traffic flat_;  // of a step without patterns
  double time_ = 0;
  int steps_ = 0;
};

// The time of one message that shares its busiest link with load - 1 others of its size.
double message_time(const Model& model, int hops, double bytes_on_busiest_link);

}  // namespace cow::coll
