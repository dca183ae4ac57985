// The two ends of a fifo. Single producer, single consumer; each end belongs to one process, which uses it under its
// progress lock.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>

#include "transport/shm/layout.hpp"

namespace cow::transport::shm {

// Copies up to 32 bytes with a few moves of fixed size, which overlap where the size is between.
[[gnu::always_inline]] inline void copy_inline(std::byte* to, const void* from_any, std::size_t size) {
  const auto* from = static_cast<const std::byte*>(from_any);
  if (size >= 8) {
    if (size > 16) {
      __builtin_memcpy(to, from, 16);
      __builtin_memcpy(to + size - 16, from + size - 16, 16);
    } else {
      std::uint64_t first, last;
      __builtin_memcpy(&first, from, 8);
      __builtin_memcpy(&last, from + size - 8, 8);
      __builtin_memcpy(to, &first, 8);
      __builtin_memcpy(to + size - 8, &last, 8);
    }
  } else if (size >= 4) {
    std::uint32_t first, last;
    __builtin_memcpy(&first, from, 4);
    __builtin_memcpy(&last, from + size - 4, 4);
    __builtin_memcpy(to, &first, 4);
    __builtin_memcpy(to + size - 4, &last, 4);
  } else if (size > 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
}

// What a message says of itself; see wire::Header.
struct Envelope {
  wire::Kind kind;
  std::uint64_t context;
  std::int32_t source;
  std::int32_t tag;
};

// What the two fifos between this process and another say of each other.
struct Exchange {
  std::uint32_t taken = 0;  // lines of the fifo from it that were taken here: every message to it says so
  std::uint32_t told = 0;   // lines of the fifo to it that it had taken, as its last message said
};

// The sender's end.
class FifoSender {
 public:
  // `exchange` lives as long as this.
  void open(Fifo* fifo, Exchange& exchange) {
    fifo_ = fifo;
    exchange_ = &exchange;
    lines_ = reinterpret_cast<Line*>(reinterpret_cast<std::byte*>(fifo) + lines_offset);
    data_ = reinterpret_cast<std::byte*>(fifo) + data_offset;
  }
  bool is_open() const { return fifo_ != nullptr; }
  Fifo& fifo() { return *fifo_; }

  // One message whose body is at most inline_size bytes; false when there is no room now.
  [[gnu::always_inline]] bool put(const Envelope& envelope, std::uint16_t credits, const void* body, std::size_t size) {
    if (__builtin_expect(is_full(), 0) && !look_for_room()) return false;
    put_into_room(envelope, credits, body, size);
    return true;
  }
  bool is_full() const { return sent_ == limit_; }  // as far as is known without looking
  std::uint32_t sent() const { return sent_; }
  // Whether the receiver has taken as many messages as had been sent then.
  bool has_taken(std::uint32_t sent) const {
    return static_cast<std::int32_t>(fifo_->taken.load(std::memory_order_relaxed) - sent) >= 0;
  }
  [[gnu::always_inline]] void put_into_room(const Envelope& envelope, std::uint16_t credits, const void* body,
                                            std::size_t size) {
    Line& line = next_line();
    copy_inline(line.body, body, size);
    publish(line, envelope, credits, size);
  }

  // The same for a body in two parts.
  [[gnu::always_inline]] void put_into_room(const Envelope& envelope, std::uint16_t credits, const void* first,
                                            std::size_t first_size, const void* second, std::size_t second_size) {
    Line& line = next_line();
    copy_inline(line.body, first, first_size);
    if (second_size > 0) copy_inline(line.body + first_size, second, second_size);
    publish(line, envelope, credits, first_size + second_size);
  }

  // Room for a body of any size up to wire::max_body; null when there is none now. The caller fills it and publishes.
  std::byte* begin(std::size_t size) {
    if (sent_ == limit_ && !look_for_room()) return nullptr;
    if (size <= inline_size) return next_line().body;
    const std::uint32_t units = static_cast<std::uint32_t>((size + line_size - 1) / line_size);
    if (exchange_->told == sent_)
      begin_again(sent_);
    else if (data_end_ >= turning_point)
      take_back();
    std::uint32_t place = find_place(units);
    if (place == no_place) {
      if (!look_for_room()) return nullptr;
      place = find_place(units);
      if (place == no_place) {
        starve();
        return nullptr;
      }
    }
    place_ = place;
    end_ = place + units;
    return data_ + std::size_t{place} * line_size;
  }
  void publish(const Envelope& envelope, std::uint16_t credits, std::size_t size) {
    Line& line = next_line();
    if (size <= inline_size) return publish(line, envelope, credits, size);
    data_end_ = end_;
    publish(line, envelope, credits, size, place_);
    if (place_ > 0) claim_next(end_ - place_);
  }
  // How much of the data part, in bytes, the body given out by begin() needs.
  std::size_t reach(std::size_t size) const { return size > inline_size ? std::size_t{end_} * line_size : 0; }

  // Looks again; what a sender does after it said that it is starved, and before it sleeps.
  [[gnu::noinline]] bool look_for_room() {
    if (take_back()) return true;
    starve();
    return take_back();
  }
  bool starved() const { return starved_; }

 private:
  static constexpr std::uint32_t no_place = UINT32_MAX;
  static constexpr std::uint32_t turning_point = 16 * 1024 / line_size;
  static constexpr std::uint32_t most_claimed = 8192 / line_size;

  Line& next_line() { return lines_[sent_ & (line_count - 1)]; }

  [[gnu::always_inline]] void publish(Line& line, const Envelope& envelope, std::uint16_t credits, std::size_t size,
                                      std::uint32_t place = 0) {
    line.head.kind = envelope.kind;
    line.head.flags = 0;
    line.head.credits = credits;
    set_extent(line, {static_cast<std::uint16_t>(size), static_cast<std::uint16_t>(place)});
    taken_of(line) = exchange_->taken;
    line.head.context = envelope.context;
    line.head.source = envelope.source;
    line.head.tag = envelope.tag;
    ends_[sent_ & (line_count - 1)] = static_cast<std::uint16_t>(data_end_);
    turn_of(line).store(++sent_, std::memory_order_release);
  }

  // Learns what the receiver has done with since; false when nothing.
  bool take_back() {
    const std::uint32_t taken = fifo_->taken.load(std::memory_order_acquire);
    if (taken == taken_ || sent_ - taken > line_count) return false;  // the latter: nonsense, as if nothing was taken
    taken_ = taken;
    limit_ = taken + line_count;
    exchange_->told = taken;  // so that what was told is never so old that the numbers have come round to it again
    if (taken != sent_)
      data_begin_ = ends_[(taken - 1) & (line_count - 1)];
    else if (data_end_ >= turning_point)
      data_begin_ = data_end_ = 0;
    else
      data_begin_ = data_end_;
    if (starved_) satisfy();
    return true;
  }

  // All is free: the next body stands where the pages exist and the caches of both are warm. A quarter of the time of a
  // message of some KiB, where each answers the other. What the receiver told is believed since only its own messages
  // can suffer.
  void begin_again(std::uint32_t taken) {
    taken_ = taken;
    limit_ = taken + line_count;
    data_begin_ = data_end_ = 0;
    if (starved_) satisfy();
  }

  // The receiver's cache holds the lines that it has read. Asking for those that the next message will stand in, while
  // this one is on its way, saves that message half of its time.
  void claim_next(std::uint32_t units) {
    const std::uint32_t begin = data_end_ >= turning_point || data_end_ + units > data_units ? 0 : data_end_;
    std::byte* at = data_ + std::size_t{begin} * line_size;
    for (std::uint32_t i = 0; i < std::min(units, most_claimed); ++i) __builtin_prefetch(at + i * line_size, 1);
  }

  void starve() {
    starved_ = true;
    fifo_->starved.store(1, std::memory_order_relaxed);
  }
  void satisfy() {
    starved_ = false;
    fifo_->starved.store(0, std::memory_order_relaxed);
  }

  // In use is [data_begin_, data_end_), going round; never all of it, so that equal means empty.
  std::uint32_t find_place(std::uint32_t units) const {
    if (data_end_ >= data_begin_) {
      if (data_end_ + units <= data_units) return data_end_;
      return units < data_begin_ ? 0 : no_place;
    }
    return data_end_ + units < data_begin_ ? data_end_ : no_place;
  }

  Line* lines_ = nullptr;
  std::uint32_t sent_ = 0;
  std::uint32_t limit_ = line_count;  // sent_ may go so far before `taken` must be read again
  std::uint32_t data_end_ = 0;
  std::uint32_t data_begin_ = 0;
  std::uint32_t taken_ = 0;
  bool starved_ = false;
  std::uint32_t place_ = 0, end_ = 0;  // of the body given out by begin()
  Exchange* exchange_ = nullptr;
  Fifo* fifo_ = nullptr;
  std::byte* data_ = nullptr;
  std::uint16_t ends_[line_count] = {};  // data_end_ after each message on its way
};

// The receiver's end.
class FifoReceiver {
 public:
  void open(Fifo* fifo, Exchange& exchange) {
    fifo_ = fifo;
    exchange_ = &exchange;
    lines_ = reinterpret_cast<Line*>(reinterpret_cast<std::byte*>(fifo) + lines_offset);
    data_ = reinterpret_cast<const std::byte*>(fifo) + data_offset;
  }
  bool is_open() const { return fifo_ != nullptr; }
  Fifo& fifo() { return *fifo_; }

  bool ready() const { return turn_of(next_line()).load(std::memory_order_acquire) == exchange_->taken + 1; }
  // Of the message that is ready.
  const wire::Header& head() const { return next_line().head; }
  std::size_t size() const { return extent_of(next_line()).size; }

  // Hands over the message that is ready: deliver(header, body, size), body in place. Returns false, having skipped it,
  // when the line makes no sense.
  template <class Deliver>
  [[gnu::always_inline]] bool take(Deliver&& deliver) {
    Line& line = next_line();
    const Extent extent = extent_of(line);
    const std::byte* body = line.body;
    bool sound = true;
    if (extent.size > inline_size) {
      sound = extent.size <= wire::max_body && extent.place * line_size + extent.size <= data_units * line_size;
      body = data_ + extent.place * line_size;
    }
    exchange_->told = taken_of(line);
    if (__builtin_expect(sound, 1))
      deliver(static_cast<const wire::Header&>(line.head), body, std::size_t{extent.size});
    fifo_->taken.store(++exchange_->taken, std::memory_order_release);
    return sound;
  }

  bool sender_starves() const { return fifo_->starved.load(std::memory_order_relaxed) != 0; }

 private:
  Line& next_line() const { return lines_[exchange_->taken & (line_count - 1)]; }

  Line* lines_ = nullptr;
  Exchange* exchange_ = nullptr;
  Fifo* fifo_ = nullptr;
  const std::byte* data_ = nullptr;
};

}  // namespace cow::transport::shm
