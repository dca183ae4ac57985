// What this process keeps about another rank of the node: the ends of their two fifos, and how to draw its attention.
#pragma once

#include <atomic>

#include "transport/shm/fifo.hpp"

namespace cow::transport {
class ShmPort;
}

namespace cow::transport::shm {

struct Link {
  FifoSender out;
  Exchange exchange;
  const std::atomic<std::uint32_t>* asleep = nullptr;         // the other's, in the segment
  const std::atomic<std::uint8_t>* listening_flag = nullptr;  // the other's for us
  ShmPort* port = nullptr;
  std::uint32_t index = 0;  // the other's number on the node

  FifoReceiver in;
  bool active = false;  // its fifo is looked at in every poll
  bool heard = false;   // something came since the silent were last looked for
  bool on_starved_list = false;
  enum class Copying : std::uint8_t { unknown, yes, no } copying = Copying::unknown;  // cross-memory attach works
  bool helps = true;                                                                  // the other may do part of a copy
  std::uint32_t copies = 0;                                                           // that it was asked to help with
  std::uint32_t called = 0;        // messages sent to it, the last such call included
  std::uint8_t exchanges = 0;      // so many of the next copies are presumed to go both ways at once
  std::size_t data_reserved = 0;   // bytes of the data part that exist
  void* owner = nullptr;           // the transport::Peer, once known
  std::uint32_t places_taken = 0;  // a bit for each place of withdrawal.hpp that a message of ours has
  std::uint32_t dropped[withdrawal_places] =
      {};  // by place: the message from it that was found withdrawn and forgotten

  // Posts a message of at most inline_size bytes: the whole of the fast path. False when there is no room now.
  [[gnu::always_inline]] bool put(const Envelope& envelope, std::uint16_t credits, const void* body, std::size_t size) {
    if (!out.put(envelope, credits, body, size)) return false;
    notify();
    return true;
  }

  // After a message was published. No fence stands between its store and these loads, though the receiver relies on
  // one of two things happening: that it sees the message, or that the sender sees it asleep (or deaf). The receiver,
  // who has time, pays for both: between setting its flag and looking for messages a last time it has the kernel run
  // a memory barrier on every processor that runs a rank (membarrier). Whatever this processor had in its store
  // buffer is then visible to the receiver, and whatever it loads afterwards sees the flag. Only the compiler must
  // be kept from exchanging the two.
  [[gnu::always_inline]] void notify() {
    if (__builtin_expect(wants_attention(), 0)) draw_attention();
  }
  [[gnu::always_inline]] bool wants_attention() const {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const bool listens = listening_flag->load(std::memory_order_relaxed) == listening;
    return other_sleeps() | !listens;
  }
  bool other_sleeps() const {
    return asleep->load(std::memory_order_relaxed) != static_cast<std::uint32_t>(Sleep::awake);
  }
  // After a message was taken.
  [[gnu::always_inline]] void taken_one() {
    heard = true;
    if (__builtin_expect(in.sender_starves(), 0)) feed_sender();
  }
  void feed_sender();    // shm_port.cpp
  int draw_attention();  // likewise. Returns 0, as the last step of a send
};

}  // namespace cow::transport::shm
