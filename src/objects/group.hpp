// Groups: ordered sets of processes.
//
// A process has a dense number, Process: 0 … size-1 are the ranks of this job's world, further ones are given out as
// other processes become known. A group whose numbers rise or fall by a constant step takes no memory per rank.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "objects/objects.hpp"

namespace cow {

using Process = std::uint32_t;

// Which process this one is. The runtime sets it at start; 0 before.
extern Process this_process;

struct Group : Object {
  int rank = MPI_UNDEFINED;    // of this process
  int handles = 0;             // how many references the program holds through the handle
  std::uintptr_t session = 0;  // handle of the session that it comes from; 0: the world's

  Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  int size() const { return size_; }
  // `rank` must be in 0 … size()-1.
  Process process(int rank) const {
    return list_ ? list_[static_cast<std::size_t>(rank)]
                 : static_cast<Process>(first_ + static_cast<std::int64_t>(rank) * step_);
  }
  // The rank of a process, MPI_UNDEFINED when it is not a member. Constant time for groups with a step; logarithmic
  // in a list, whose index is built at the first call.
  int rank_of(Process process) const;
  bool contains(Process process) const { return rank_of(process) != MPI_UNDEFINED; }

  // How much it takes beside itself, in bytes: 0 for a group with a step.
  std::size_t list_bytes() const { return list_ ? static_cast<std::size_t>(size_) * sizeof(Process) : 0; }

 private:
  friend Group* make_group(std::vector<Process>&& processes);
  friend Group* make_group(Process first, int step, int size);
  void build_index() const;

  int size_ = 0;
  int step_ = 1;
  std::int64_t first_ = 0;
  std::unique_ptr<Process[]> list_;                     // null: first_ + rank * step_
  mutable std::unique_ptr<std::int32_t[]> by_process_;  // ranks in the order of their process numbers
};

// MPI_GROUP_EMPTY.
extern Group& empty_group;

// Makers. The group has one reference and no handle (give_handle() adds one). An empty result is the caller's own
// object too, so that it is released like any other.
Group* make_group(Process first, int step, int size);
Group* make_group(std::vector<Process>&& processes);

inline void retain(Group& group) { ++group.references; }
void release(Group& group);

// The handle of a group that a program is given: made at the first call; each call adds a reference that free_handle()
// (MPI_Group_free) drops. An empty group becomes MPI_GROUP_EMPTY.
Error give_handle(Group* group, MPI_Group* out);
Error free_handle(Group& group);

// Set operations; the order is the standard's (first group's order, then what only the second has).
Group* unite(const Group& a, const Group& b);
Group* intersect(const Group& a, const Group& b);
Group* subtract(const Group& a, const Group& b);

// Members picked by rank, in this order; ranks must be valid.
Group* include(const Group& group, std::span<const int> ranks);
Group* exclude(const Group& group, std::span<const int> ranks);

// MPI_IDENT, MPI_SIMILAR or MPI_UNEQUAL.
int compare(const Group& a, const Group& b);

// out[i] = the rank in `to` of rank ranks[i] of `from` (MPI_UNDEFINED when not a member; MPI_PROC_NULL stays).
// Linear in the number of ranks plus the size of the groups.
void translate(const Group& from, std::span<const int> ranks, const Group& to, int* out);

}  // namespace cow
