// What a collective costs, predicted: a machine's numbers, the traffic patterns of a layout, and the sum that each
// algorithm's cost function adds up step by step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "coll/core/collective.hpp"
#include "coll/core/wires.hpp"

namespace cow::coll {

// The numbers of a machine. Times in microseconds; per-byte times in microseconds a byte.
struct Model {
  double alpha = 8.0;          // one message between nodes, start to end
  double beta = 0.0004;        // a byte on a link
  double node_alpha = 1.0;     // one message inside a node
  double node_beta = 0.00008;  // a byte of it
  double node_line = 0.2;      // a cache line from one rank of a node to another
  double gamma = 0.00006;      // reducing a byte
  double copy = 0.00003;       // copying a byte
  double node_large =
      0.0002;             // a byte of a message of many MiB inside a node; this and the next five are for send modes
  double keep = 0.0001;   // copying a byte into memory that is at hand
  double fresh = 0.0006;  // copying a byte into fresh memory
  double snapshot = 600;  // taking a snapshot of the process and ending it
  double resident = 0.00003;       // for each byte of the process that is in memory
  double kept = 0.0004;            // reading a byte of a snapshot
  double hop = 0.1;                // one more link on the way
  double processors = 0;           // of a node, for the ranks of a communicator inside of one; 0: one for each rank
  double switching = 1.5;          // a processor goes from one rank to another
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
enum class PatternName : std::int64_t {
  swing = 1,
  swing_short,
  dimension_exchange,
  bucket,
  bine,
  dimension,
  bine_butterfly
};
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
//
// Where the ranks inside of a node are more than its processors, those who have work to do in a step do it in turn, and a
// step ends when the processors have gone around.
class Cost {
 public:
  // Without patterns: a switch, or the inside of a node that has `ranks_inside` ranks.
  Cost(const Model& model, Patterns* patterns, int ranks_inside = 0)
      : model_(model), patterns_(patterns), flat_(ranks_inside > 0 ? Traffic{0, 1} : Traffic{2, 1}),
        ranks_(ranks_inside), busy_(ranks_inside) {}

  // The two directions of a wire carry at once; inside a node both pass through the same memory, one after the other.
  // `both_ways`: ranks send and receive in the same step.
  void shift(int distance, double bytes, int times = 1, bool both_ways = true) {
    messages(patterns_ ? patterns_->shift(distance) : flat_, bytes, times, both_ways, ranks_);
  }
  // A step of a binomial tree: those whose number is a multiple of 2 * distance, to those `distance` above them.
  void tree(int distance, double bytes) {
    messages(patterns_ ? patterns_->tree(distance) : flat_, bytes, 1, false, ranks_ / (2 * distance));
  }
  void exchange(int mask, double bytes) {
    messages(patterns_ ? patterns_->exchange(mask) : flat_, bytes, 1, true, ranks_);
  }
  void known(Traffic traffic, double bytes, int times = 1) { messages(traffic, bytes, times, true, ranks_); }
  // `count` messages one rank sends or receives at once through its own link.
  void fan(int count, double bytes);
  void all(double bytes, int ranks);                  // everybody to everybody at once
  void starts(int more) { time_ += more * start(); }  // further messages a rank starts in the same steps
  void reduce(double bytes) { time_ += model_.gamma * bytes * turns(busy_); }  // by those busy in the last step
  void reduce_by(int ranks, double bytes) { time_ += model_.gamma * bytes * turns(ranks); }
  void copy(double bytes) { time_ += model_.copy * bytes * turns(busy_); }
  void copy_by(int ranks, double bytes) { time_ += model_.copy * bytes * turns(ranks); }
  // A round on shared memory: each rank publishes, and awaits so many others, whose cache lines are on their way at once.
  void round(int awaited);
  // That a vector goes in pieces: a cache line for each, and looks at the clock.
  void pieces(double bytes, double piece) { time_ += model_.node_line * (1 + bytes / piece); }
  // A part of a collective of several nodes among ranks that share one, on memory: how many, and the bytes that each publishes.
  void on_memory(Collective collective, int ranks, double bytes);

  // A part of the collective that is one inside each node, or one between nodes of which `sharing` go on at once:
  // part(Cost&) adds it up.
  template <class Part>
  void inside(int ranks, Part part) {
    Cost cost(model_, nullptr, ranks);
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
  void messages(Traffic traffic, double bytes, int times, bool both_ways, int busy);
  double turns(int busy) const { return model_.processors > 0 ? std::max(1.0, busy / model_.processors) : 1.0; }
  // Of a processor, in a step for which all its ranks are needed.
  double switches() const { return (turns(ranks_) - 1) * model_.switching; }
  void add(const Cost& part) { time_ += part.time_, steps_ += part.steps_; }
  double start() const;  // of a further message in the same step

  const Model& model_;
  Patterns* patterns_;
  Traffic flat_;  // of a step without patterns
  int ranks_;     // that share the node's processors; 0: the node is not known, or not shared
  int busy_;      // of them, in the last step
  double time_ = 0;
  int steps_ = 0;
};

// The time of one message that shares its busiest link with load - 1 others of its size.
double message_time(const Model& model, int hops, double bytes_on_busiest_link);

}  // namespace cow::coll
