// The nonblocking collectives of a communicator whose ranks share a node, on slots of their own: recorded ways (recorder.hpp),
// carried out by progress one after the other. The order of their starts is the same at all ranks, so the rounds of one
// follow those of another everywhere alike; and since whoever has started one has started all before it, none waits for
// anything but starts.
//
// The slots are made by a schedule of messages that goes before the first of them; until it has ended nobody knows whether there
// are any, and all wait for it.
#pragma once

#include <memory>
#include <optional>

#include "coll/core/schedule.hpp"
#include "coll/execute/shm/waiting.hpp"
#include "coll/shm/recorder.hpp"

namespace cow::coll::shm {

class Sequence {
 public:
  Sequence(Comm& comm, const Nodes& nodes, bool fixed_order, double processors);
  ~Sequence();

  const Terms& terms() const { return terms_; }

  // ---- making the slots: verbs of a schedule on `unit`, which counts ints and takes the least
  void record_making(coll::Recorder& recorder);
  void call(Count number);  // what the schedule calls
  bool is_being_made() const { return making_ != nullptr; }
  bool exists() const { return area_ != nullptr; }

  // ---- whose turn it is
  unsigned join() { return joined_++; }
  bool is_up(unsigned turn) const { return area_ && turn == left_; }
  void leave();

  // ---- carrying out
  enum class Outcome : std::uint8_t { done, waits, over, not_mine };
  struct Work {
    Collective kind;
    int tag;
    const Unit& unit;
  };
  // Of an entry, by whose turn it is. `over`: the way ends here, with an error.
  Outcome execute(const Entry& entry, const Work& work, Error& error);
  // What an address of a schedule stands for.
  Address resolve(Address address) const;

 private:
  Outcome open(const Entry& entry, const Work& work, Error& error);
  Outcome await(const Entry& entry, const Work& work, Error& error);
  bool came(const Slots::Want& want, Error& error);
  void stop_waiting();

  static constexpr Count offer_ints = sizeof(transport::shm::Offer) / sizeof(int);

  Terms terms_;
  std::unique_ptr<Area::Making> making_;
  int can_ = 0, all_can_ = 0;
  std::unique_ptr<Area> area_;
  unsigned joined_ = 0, left_ = 0;
  bool opening_ = false;        // a round has begun, whose place is not free yet
  std::byte* place_ = nullptr;  // of this rank in the present round
  std::optional<Area::Waiting> waiting_;
  Nanoseconds look_at_ = 0;
};

}  // namespace cow::coll::shm
