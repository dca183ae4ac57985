// The segment as one rank sees it: made or found, checked, mapped piece by piece.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "base/siphash.hpp"
#include "transport/shm/layout.hpp"

namespace cow::transport::shm {

// What all ranks of a node must agree on.
struct Identity {
  std::uint64_t job = 0;
  std::uint32_t node = 0;
  std::uint32_t count = 0;  // ranks on the node
  SipKey key;
};

class Segment {
 public:
  Segment() = default;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  // Takes the descriptor (and closes it in the end, or at once on an error). Fails when the segment belongs to somebody
  // else, holds anything unexpected, or cannot be mapped.
  Error open(int descriptor, const Identity& identity);

  const Plan& plan() const { return plan_; }
  RankEntry& rank_entry(std::uint32_t index) const { return *at<RankEntry>(plan_.rank_entry(index)); }
  std::atomic<std::uint8_t>& listening_flag(std::uint32_t receiver, std::uint32_t sender) const {
    return *at<std::atomic<std::uint8_t>>(plan_.rank_entry(receiver) + listening_offset + sender);
  }
  std::atomic<std::uint64_t>* bells(std::uint32_t receiver) const {
    return at<std::atomic<std::uint64_t>>(plan_.rank_entry(receiver) + plan_.bells_offset);
  }

  // Maps one fifo. The mapping lives as long as the segment.
  Error map_fifo(std::uint32_t receiver, std::uint32_t sender, Fifo*& out);

  // Makes a part of a fifo exist now: a page that the kernel could not provide when it is written would be a SIGBUS.
  // For the sender, who writes first.
  Error reserve_fifo(std::uint32_t receiver, std::uint32_t sender, std::size_t from, std::size_t to);

 private:
  template <class T>
  T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }
  Error check(const Identity& identity);
  Error reserve(std::size_t offset, std::size_t size);

  Plan plan_{0};
  int descriptor_ = -1;
  std::byte* base_ = nullptr;  // of the head and the rank_entries
  std::vector<Fifo*> fifos_;   // as far as mapped
};

}  // namespace cow::transport::shm
