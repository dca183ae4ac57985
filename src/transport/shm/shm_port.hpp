// The port inside a node: messages through fifos in a shared segment (layout.hpp), large data read straight from the
// other's memory where the kernel permits it. Destinations are the numbers of the node's ranks.
//
// Only fifos on which something came lately are looked at in a poll; a sender whom nobody listens to rings a bell (one
// bit of the receiver's), so a silent local peer costs nothing. See Link::notify for how sender and receiver avoid
// missing each other.
#pragma once

#include <sched.h>

#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "transport/drops.hpp"
#include "transport/port.hpp"
#include "transport/shm/helping.hpp"
#include "transport/shm/link.hpp"
#include "transport/shm/segment.hpp"

namespace cow::transport {

class ShmPort final : public Port {
 public:
  struct Place {
    shm::Identity identity;
    std::uint32_t index = 0;   // of this process on the node
    std::uint32_t rank = 0;    // of this process in the job
    std::uint32_t window = 0;  // credits that it gives to each sender
    bool copying = true;       // other ranks' memory may be read, and this one's by them
    bool helping = true;       // each copy may be done by both ends
    bool pollable = false;     // it must be possible to sleep on a descriptor, since others are slept on too
  };

  ShmPort() = default;
  ~ShmPort() override;

  // Takes the segment's descriptor. Afterwards the others may write to this process.
  Error open(int descriptor, const Place& place, Receiver* receiver = nullptr);

  // Instead of open(): says to the others that this process is here, but not to be reached in this way.
  Error refuse(int descriptor, const Place& place);

  // What another rank of the node has said of itself.
  shm::Presence presence(std::uint32_t index) const;
  std::uint32_t window_of(std::uint32_t index) const { return segment_.rank_entry(index).window; }
  std::int32_t process_of(std::uint32_t index) const { return segment_.rank_entry(index).pid; }

  // Makes the fifo to another rank ready. It must be here.
  Error reach(std::uint32_t index, shm::Link*& out);
  shm::Link& link(std::uint32_t index) { return links_[index]; }

  // What it can do where other ranks' memory may be read, and where it may not.
  static Limits limits_for(bool copying);

  // As send(), with the header's fields known. May fail for good (no memory): then `error` is set.
  Post send(shm::Link& to, const shm::Envelope& envelope, std::uint16_t credits, const void* extra,
            std::size_t extra_size, const Body& body, Error& error);

  // poll() for a caller known at compile time: deliver(link, header, body, size).
  template <class Deliver>
  std::size_t poll_with(Deliver&& deliver) {
    std::size_t events = 0;
    if (__builtin_expect(a_bell_rang(), 0)) listen_to_ringers();
    for (std::size_t i = 0; i < active_.size(); ++i) {
      shm::Link& link = *active_[i];
      if (link.in.ready()) events += drain(link, deliver);
    }
    if (__builtin_expect(++polls_ % polls_between_checks == 0, 0)) forget_silent();
    if (__builtin_expect(!copies_.empty(), 0)) events += go_on_copying();
    return events;
  }

  // A fifo on which a message waits, each having its turn; null: there is none. For a caller that takes one by one.
  shm::Link* next_ready() {
    if (__builtin_expect(a_bell_rang(), 0)) listen_to_ringers();
    for (std::size_t i = 0; i < active_.size(); ++i) {
      if (++turn_ >= active_.size()) turn_ = 0;
      if (active_[turn_]->in.ready()) return active_[turn_];
    }
    return nullptr;
  }
  bool is_copying() const { return !copies_.empty(); }

  // The sleep of a process that has nothing but this port to wait for. To be called after may_sleep() said yes.
  void sleep(Nanoseconds limit);
  void interrupt_sleep();  // from another thread, or a signal handler
  void awake();            // after every may_sleep(), whatever it said

  // For a rank that runs on processor `here` and may run on `allowed`: another one, where ranks of this node crowd on its
  // own while fewer are on that one, or -1. Ranks that sleep do not count. All ranks ask now and then; of those on one
  // processor the last move first.
  int find_room(int here, const cpu_set_t& allowed);

  // ---- Port
  const char* name() const override { return "shared memory"; }
  using Port::limits;
  const Limits& limits(Destination to) override;
  std::string published() const override { return {}; }
  Error candidates(std::string_view, bool, std::vector<Candidate>&) const override;
  Error reach(const Candidate& candidate, Destination& out) override;
  void forget(Destination) override {}
  Post send(Destination to, const void* head, std::size_t head_size, const Body& body) override;
  Post read(Destination from, void* local, const Registration* local_memory, std::uint64_t remote_address,
            const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) override;
  Post write(Destination to, const void* local, const Registration* local_memory, std::uint64_t remote_address,
             const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) override;
  bool reads_processes() const override { return true; }
  bool peek(Destination other, std::uint64_t address, void* to, std::size_t size) override;
  bool poke(Destination other, std::uint64_t address, const void* from, std::size_t size) override;
  bool needs_local_registration() const override { return false; }
  Error register_memory(const void* address, std::size_t size, Registration& out) override;
  void release_memory(Registration&) override {}
  std::size_t poll() override;
  int wait_descriptor() const override { return socket_; }
  bool may_sleep() override;
  bool drained() const override { return true; }

  // What a message of wire::Kind::help asks for: chunks of a large message of ours, as many as the other leaves to us.
  // False: that is more than anybody asks for, or this process takes no part in copies.
  bool help(shm::Link& link, const wire::Help& wanted);

  void draw_attention(shm::Link& link);  // Link's
  void wake(std::uint32_t index);        // whoever sleeps there, for something that it finds without this port
  std::uint64_t chunks_helped() const { return chunks_helped_; }  // others did so many of our copies
  std::uint64_t chunks_done_for_others() const { return chunks_done_for_others_; }
  bool listens_to(std::uint32_t index) const { return links_[index].active; }

 private:
  static constexpr std::uint32_t polls_between_checks = 1 << 14;
  static constexpr std::size_t always_active = 8;  // so many fifos are looked at whether or not something comes
  static constexpr int batch = 64;
  static constexpr std::uint8_t exchanges_presumed = 32;

  // The other was asked to help with a piece.
  struct Help {
    shm::Claims claims;
    bool asked = false;        // and must still say that its chunks are done
    std::uint32_t chunks = 0;  // how many those are
    std::uint32_t looked = 0;  // how often in vain
  };

  // A read under way: it goes on by pieces, so that messages are handled in between.
  struct Copy {
    shm::Link* from;
    std::int32_t process;  // the sender, or
    bool kept;             // one that keeps the data for it
    std::byte* local;
    std::uint64_t remote;
    std::size_t left;
    Completion* completion;
    Help help;
    int wrong = 0;  // an errno
  };

  bool a_bell_rang() const {
    for (std::size_t i = 0; i < bell_words_; ++i)
      if (bells_[i].load(std::memory_order_relaxed) != 0) return true;
    return false;
  }

  template <class Deliver>
  std::size_t drain(shm::Link& link, Deliver&& deliver) {
    std::size_t count = 0;
    do {
      const bool sound = link.in.take(
          [&](const wire::Header& head, const std::byte* body, std::size_t size) { deliver(link, head, body, size); });
      if (__builtin_expect(!sound, 0)) transport::drop(static_cast<const Peer*>(link.owner), {}, Drop::fifo_line);
      ++count;
    } while (count < batch && link.in.ready());
    link.taken_one();
    return count;
  }

  void listen_to_ringers();
  void listen_to(shm::Link& link);
  void forget_silent();
  bool something_waits();
  bool everyone_sees();  // the memory barrier on all processors; false where the kernel does not offer it
  void probe(shm::Link& link);
  Error announce(shm::Presence presence);
  std::size_t go_on_copying();
  void do_part_of(shm::Link& link, const wire::Help& wanted);
  bool may_ask_for_help(const Copy& copy, std::size_t piece);
  bool copy_with_help(Copy& copy, std::size_t piece);
  bool help_has_ended(Copy& copy, std::size_t piece);

  shm::RankEntry* me_ = nullptr;
  std::atomic<std::uint64_t>* bells_ = nullptr;
  std::size_t bell_words_ = 0;
  std::vector<shm::Link*> active_;
  std::size_t turn_ = 0;  // next_ready()'s
  std::uint32_t polls_ = 0;
  std::uint64_t chunks_helped_ = 0;
  std::uint64_t chunks_done_for_others_ = 0;

  shm::Segment segment_;
  Place place_;
  Receiver* receiver_ = nullptr;
  std::vector<shm::Link> links_;     // by number on the node
  std::vector<shm::Link*> starved_;  // those that had no room
  std::vector<Copy> copies_;
  bool barrier_works_ = false;
  int socket_ = -1;
  std::uint64_t socket_name_ = 0;
  std::uint64_t probe_value_ = 0;
  Limits without_read_;
};

}  // namespace cow::transport
