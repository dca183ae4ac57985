// A port moves bytes between this process and others. It knows nothing of messages' meaning, of ranks, or of who may
// send: that is the business of transport/peer.hpp above it. Implementations: ofi/ (networks, over libfabric) and shm/
// (inside a node).
//
// Who may call: the thread that holds the progress lock (at single-threaded levels, the one thread that calls MPI).
// Nothing here blocks, spins or calls back into the caller, except poll(), which delivers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cow::transport {

// A place that messages can be posted to, numbered by the port.
using Destination = std::uint64_t;

// What became of a post. `again`: nothing was taken; the caller queues and tries again after a poll(). `refused`: nothing was
// taken, nor ever will be; last_failure() says why.
enum class Post { done, posted, again, refused };

// The bytes of a message behind its head: either in memory, or written by a producer where the port wants them.
struct Body {
  const void* bytes = nullptr;  // used when produce is null
  std::size_t size = 0;
  void (*produce)(void* state, void* out) = nullptr;  // writes exactly `size` bytes to out; called at most once a post
  void* state = nullptr;
};

// Told once when a posted operation has ended. Owned by the caller, who keeps it alive until then.
struct Completion {
  void (*done)(Completion&, Error) = nullptr;
};

// Memory that others may reach, or that this port may use for reads and writes. Owned by who registered it.
struct Registration {
  static constexpr std::size_t max_key = 32;
  std::uint64_t address = 0;  // what a peer adds its offset to (the virtual address, or 0, as the provider wants it)
  std::uint8_t key_size = 0;
  std::byte key[max_key] = {};  // opaque; sent to the peer, who hands it to read() or write()
  void* handle = nullptr;       // the port's own
};

// One address of a peer, as found in what the peer published.
struct Candidate {
  std::string address;  // opaque to all but the port
  std::string text;     // for messages: "192.0.2.7:40123"
};

// What a port delivers to. `bytes` is valid until the call returns.
class Receiver {
 public:
  virtual void arrived(const std::byte* bytes, std::size_t size) = 0;

  // A message that was taken will not arrive, and nothing that was sent after it can be relied on.
  static constexpr Destination unknown = UINT64_MAX;
  virtual void lost(Destination, const char* /*why*/) {}

 protected:
  ~Receiver() = default;
};

class Port {
 public:
  // Fixed once the port is open, or, where destinations differ, once one has been asked about.
  struct Limits {
    std::size_t message = 0;           // head and body together
    bool read = false;                 // remote read works
    bool write = false;                // remote write works
    std::size_t remote_threshold = 0;  // below this many bytes, read and write are not worth their set-up
    std::size_t eager = SIZE_MAX;      // above this many bytes, sending at once costs more than offering
  };

  virtual ~Port() = default;

  virtual const char* name() const = 0;  // "net", "tcp;ofi_rxm", "shm", …
  const Limits& limits() const { return limits_; }
  virtual const Limits& limits(Destination) { return limits_; }  // of a destination that is up

  // What peers need to reach this port: under 1,000 bytes, all addresses of the host included.
  virtual std::string published() const = 0;

  // The addresses in what a peer published, the most promising first. Fails (with a message) on bytes that are not
  // such a text, or when the peer uses another provider.
  virtual Error candidates(std::string_view published, bool same_node, std::vector<Candidate>& out) const = 0;

  // Makes an address ready to be posted to. May be called for several addresses of one peer in turn.
  virtual Error reach(const Candidate& candidate, Destination& out) = 0;

  // Ends everything pending for a destination (completions are told an error) and forgets it.
  virtual void forget(Destination to) = 0;

  // Posts one message. `head` and body are copied before the call returns `done`; `again` means nothing was taken.
  // Never returns `posted`. Messages to one destination are not promised to arrive in order.
  virtual Post send(Destination to, const void* head, std::size_t head_size, const Body& body) = 0;

  // Moves `size` bytes (of any size: split as the provider needs) between `local` memory and a peer's registered
  // memory at `remote_address`. `posted`: completion.done() will be called from poll(), once. `local_memory` may be
  // null when needs_local_registration() is false.
  virtual Post read(Destination from, void* local, const Registration* local_memory, std::uint64_t remote_address,
                    const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) = 0;
  virtual Post write(Destination to, const void* local, const Registration* local_memory, std::uint64_t remote_address,
                     const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) = 0;

  // read() takes the number of a process of this host as a key, and then reads that process's memory.
  virtual bool reads_processes() const { return false; }

  // Where reads_processes(): reads or writes a few bytes of the other's memory at once. False: that cannot be done.
  virtual bool peek(Destination, std::uint64_t /*address*/, void* /*to*/, std::size_t) { return false; }
  virtual bool poke(Destination, std::uint64_t /*address*/, const void* /*from*/, std::size_t) { return false; }

  virtual bool needs_local_registration() const = 0;
  virtual Error register_memory(const void* address, std::size_t size, Registration& out) = 0;
  virtual void release_memory(Registration& registration) = 0;

  // Delivers what has arrived and ended; returns how many events there were. Not reentrant.
  virtual std::size_t poll() = 0;

  // A descriptor that becomes readable when poll() may have work, or -1 when the provider has none. Before sleeping
  // on it the caller asks may_sleep() (fi_trywait), which says false when poll() must be called first.
  virtual int wait_descriptor() const { return -1; }
  virtual bool may_sleep() { return false; }

  // True when nothing handed to send() is still on its way inside the provider (so that closing loses nothing).
  virtual bool drained() const = 0;

 protected:
  Limits limits_;
};

}  // namespace cow::transport
