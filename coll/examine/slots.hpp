// The slots of an imagined node, on which ways of coll/shm are examined. They are as scarce as they can be: a place is written
// again in the round after the next. Strict are also the rules of reading: only what has been awaited, in the round that is
// present or, until the reader publishes that one, in the one before; and what was added after publishing only where its
// completion was awaited.
#pragma once

#include <string>
#include <vector>

#include "coll/examine/values.hpp"
#include "coll/shm/recorder.hpp"

namespace cow::coll {

class ImaginedSlots {
 public:
  explicit ImaginedSlots(int ranks) : ranks_(static_cast<std::size_t>(ranks)) {
    for (Rank& rank : ranks_) rank.awaited.resize(ranks_.size()), rank.completed.resize(ranks_.size());
  }

  // Each of these is false while the rank has to wait.
  bool open(int r, Count bytes);
  bool await(int r, int first, int end);
  bool await_complete(int r, int other);

  // These tell what is wrong, or nothing.
  std::string publish(int r, bool complete);
  std::string complete(int r);
  std::string fit(int r, int other, Count room) const;

  // The cells that a rank reads or writes; null, and what is wrong, where it may not.
  Value* cells(int r, shm::SlotAddress at, Count n, bool writes, std::string& wrong);

  int rounds(int r) const { return of(r).present; }

 private:
  static constexpr int places = 2;
  struct Slot {
    int round = 0;
    std::vector<Value> cells;
    std::vector<bool> added;  // after it was published
    bool published = false, complete = false;
  };
  struct Rank {
    int present = 0;    // round that it has begun
    int published = 0;  // the last one
    Slot slots[places];
    std::vector<int> awaited, completed;  // of each other, the last round
  };
  Rank& of(int r) { return ranks_[static_cast<std::size_t>(r)]; }
  const Rank& of(int r) const { return ranks_[static_cast<std::size_t>(r)]; }
  Slot& slot(int r, int round) { return of(r).slots[round % places]; }
  Value* written(int r, Slot& slot, Count at, Count n, std::string& wrong);
  Value* read(int r, int from, Slot& slot, Count at, Count n, std::string& wrong);

  std::vector<Rank> ranks_;
};

}  // namespace cow::coll
