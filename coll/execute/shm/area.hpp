// The slots of a communicator's ranks on one node: their memory, how it is made, and the waiting for others. They are the ranks
// of a communicator that lies on one node, or those that one of several nodes has of it: then they do parts of its collectives.
//
// Who publishes wakes those who sleep, if it was the last that they awaited. Who has waited long looks whether the processes of
// those that are missing still live; if one does not, the communicator can do no more on memory: this collective fails, and so
// do all others.
#pragma once

#include <memory>
#include <vector>

#include "coll/core/collective.hpp"
#include "coll/execute/shm/streaming.hpp"
#include "coll/shm/slots.hpp"
#include "objects/comm.hpp"
#include "transport/shm/shared_file.hpp"

namespace cow::transport::shm {
struct Link;
}

namespace cow::coll::shm {

class Area {
 public:
  // Made by all ranks of the communicator together, on each node for those that it has; `out` stays null, at all of them,
  // where one of them cannot. Who is alone on its node gets one without memory, which can do no parts. `processors` of the
  // node, the same number at all its ranks; 0: one for each. `fixed_order`: see verbs.hpp.
  static Error make(Comm& comm, const Nodes& nodes, bool fixed_order, double processors, std::unique_ptr<Area>& out);

  // The same in steps, between which the ranks tell each other something.
  class Making;

  Area(const Area&) = delete;
  Area& operator=(const Area&) = delete;
  ~Area();

  // Makes this rank's large ring, or, where there are none, its buffers exist, where all ranks can; asked by all together
  // when one of them may publish more than fits into the small ring. `memory` ends as what there is.
  Error make_rings(Memory& memory);
  // Large rings that a rank has requested, once all know of it.
  Error make_requested();
  bool has_large_rings() const { return large_rings_ == Made::yes; }
  bool may_make_large_rings() const { return large_rings_ == Made::unknown; }

  // Of a collective; `tag` is its own.
  void begin(int tag) { tag_ = tag; }
  int tag() const { return tag_; }

  Slots& slots() { return slots_; }
  const Slots& slots() const { return slots_; }
  Comm& comm() const { return comm_; }
  int rank_of(int place) const { return ranks_[static_cast<std::size_t>(place)]; }  // of the communicator
  bool fixed_order() const { return fixed_order_; }
  double processors() const { return processors_; }

  // Until the ranks of `want` have published. False: a rank has died.
  [[nodiscard]] bool wait(const Slots::Want& want) {
    int from = want.first;
    return slots_.have_published(from, want.end, want.number) || wait_long(want, from);
  }
  bool has_lost() const { return lost_ >= 0; }  // one of its ranks
  bool look_for_loss(Slots::Number number);     // among those that have not published this round
  Error loss() const;                           // that it has

  // This rank could not go on with a collective in which others wait for it.
  void go_out_of_step() { out_of_step_ = true; }
  bool is_out_of_step() const { return out_of_step_; }

  // See Link::notify for why no fence is needed before the flags are read: a sleeper looks again after it has said that it
  // sleeps, behind a barrier that it makes this processor run.
  void publish(bool complete) {
    slots_.publish(complete);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    for (const std::atomic<std::uint32_t>* asleep : asleep_)
      if (asleep->load(std::memory_order_relaxed) != awake) return wake_sleepers();
  }

  WayOfWriting& writing() { return writing_; }
  Address scratch(Count bytes);

  // A wait, for reports of what a rank waits for.
  struct Waiting;
  static const Waiting* first_waiting();
  static const Waiting* next(const Waiting& waiting);
  static const Comm& comm_of(const Waiting& waiting);
  static int number(const Waiting& waiting);   // of the collective, as tags count them
  static int missing(const Waiting& waiting);  // a rank that has not come yet

 private:
  Area(Comm& comm, const Nodes& nodes, std::unique_ptr<transport::shm::SharedFile> file, bool fixed_order,
       double processors);
  bool link_up();
  bool reserve(Slots::Range part);
  enum class Made : std::uint8_t { unknown, yes, no };
  Error make(Made& made, Slots::Range part, std::size_t all);

  bool wait_long(const Slots::Want& want, int& from);
  bool sleep_until(const Slots::Want& want, int from);
  bool yield_at_once(const Slots::Want& want, int& from);
  bool watch(const Slots::Want& want, int& from) const;
  void wake_sleepers();

  static constexpr std::uint32_t awake = 0;  // transport::shm::Sleep::awake

  Comm& comm_;
  const std::vector<int> ranks_;  // of the communicator, by place; all else here speaks of places
  std::unique_ptr<transport::shm::SharedFile> file_;
  Slots slots_;
  const bool fixed_order_;
  const bool crowded_;  // more ranks than processors
  const double processors_;
  unsigned waits_ = 0;
  int tag_ = 0;    // of the present collective
  int lost_ = -1;  // a rank that has died
  bool out_of_step_ = false;
  Made buffers_ = Made::unknown;
  Made large_rings_ = Made::unknown;
  std::size_t in_use_ = 0;                                 // of all memory of areas, by this one
  std::vector<transport::shm::Link*> others_;              // by place; null for this one
  std::vector<const std::atomic<std::uint32_t>*> asleep_;  // whether they sleep, of the others
  std::vector<std::byte> scratch_;
  WayOfWriting writing_;  // of long vectors
};

class Area::Making {
 public:
  // `large`: with large rings, else with buffers, which are made at once.
  Making(Comm& comm, const Nodes& nodes, bool fixed_order, double processors, bool large);
  // What the first rank of the node has, and the others must be told.
  transport::shm::Offer offer;
  // Whether this rank can take part.
  bool open();
  std::unique_ptr<Area> finish(bool all_can);

 private:
  bool alone() const { return size_ == 1; }
  bool is_maker() const { return place_ == 0 && !alone(); }
  Comm& comm_;
  const Nodes nodes_;  // hints may make the communicator forget its own meanwhile
  const bool fixed_order_, large_;
  const double processors_;
  const int place_, size_;
  const std::size_t bytes_;
  std::unique_ptr<transport::shm::SharedFile> file_;
  bool failed_ = false;
  std::unique_ptr<Area> area_;
};

}  // namespace cow::coll::shm
