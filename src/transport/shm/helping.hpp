// Copies between two processes that both of them work at.
//
// The kernel's copy from another process keeps one processor busy (most of it with finding and holding the pages) at a
// fraction of what memory can move. While the receiver of a large message copies it, the sender mostly waits for just
// that; so the receiver lets it help. It cuts the copy into chunks, opens a table of claims in the fifo to the sender,
// and tells it (wire::Kind::help). Each end claims chunk after chunk: the receiver reads its own, the sender writes its
// own. A sender that computes takes none, and costs the receiver one line of a fifo; one that comes late finds less left.
//
// Two who send to each other at the same time do not help: each would write where the other's caches hold the buffer. They
// find out by a call that comes while they copy, and then call only now and then.
//
// The receiver ends when all chunks are claimed and the sender has said that its own are done. Only one copy of a pair
// is open at a time; its number tells it from those before.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "transport/shm/layout.hpp"

namespace cow::transport::shm {

// In bytes. As measured, two processors take 0.8 of the time of one at 16 KiB and 0.6 from 64 KiB on.
inline constexpr std::size_t help_threshold = 12 * 1024;

// Chunks are whole pages, one for each end where that is not too long to wait for the other: as measured, four chunks of
// 16 KiB take half as long again as two of 32 KiB, since both ends then use the same tables of pages at once.
inline std::size_t chunk_size(std::size_t size) {
  constexpr std::size_t least = 2 * page_size, most = 32 * page_size;
  const std::size_t half = (size / 2 + page_size - 1) / page_size * page_size;
  return half < least ? least : half > most ? most : half;
}

// The table of claims. The receiver opens it; each end claims.
class Claims {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  Claims() = default;
  Claims(Fifo& fifo, std::uint32_t number, std::size_t size)
      : fifo_(&fifo), number_(std::uint64_t{number} << 32), size_(size), chunk_(chunk_size(size)) {}

  std::uint32_t count() const { return static_cast<std::uint32_t>((size_ + chunk_ - 1) / chunk_); }
  std::size_t begin(std::uint32_t chunk) const { return chunk * chunk_; }
  std::size_t size(std::uint32_t chunk) const { return size_ - begin(chunk) < chunk_ ? size_ - begin(chunk) : chunk_; }

  void open() { fifo_->claims.store(number_, std::memory_order_release); }

  // The next chunk that nobody has; none when all are taken, or another copy is open by now.
  std::uint32_t claim() {
    std::uint64_t seen = fifo_->claims.load(std::memory_order_acquire);
    while (seen - number_ < count())
      if (fifo_->claims.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) return seen & UINT32_MAX;
    return none;
  }

  // The sender: so many of its chunks are done; or the kernel refuses, and the receiver must do without.
  void tell(std::uint32_t chunks) { fifo_->helped.store(number_ | chunks, std::memory_order_release); }
  void tell_refused() { fifo_->helped.store(number_ | refused_mark, std::memory_order_release); }

  // The receiver, of the chunks that the other has claimed.
  bool helped(std::uint32_t chunks) const {
    return fifo_->helped.load(std::memory_order_acquire) == (number_ | chunks);
  }
  bool refused() const { return fifo_->helped.load(std::memory_order_acquire) == (number_ | refused_mark); }

 private:
  static constexpr std::uint64_t refused_mark = UINT32_MAX;

  Fifo* fifo_ = nullptr;
  std::uint64_t number_ = 0;
  std::size_t size_ = 0;
  std::size_t chunk_ = 1;
};

}  // namespace cow::transport::shm
