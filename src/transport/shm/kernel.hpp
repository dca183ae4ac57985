// What the kernel does for this port: sleeping and waking, memory barriers on other processors, copies between
// processes. Each answers plainly where it is barred; nothing prints.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace cow::transport::shm {

// In bytes, as measured: below, a message through the fifo is faster than a copy between processes.
inline constexpr std::size_t copy_threshold = 4096;
inline constexpr std::size_t eager_threshold = 8192;
inline constexpr std::size_t copy_piece = 4096 * 1024;  // of a large copy: about 300 µs
inline constexpr std::size_t kept_piece = 1024 * 1024;  // of one from a snapshot: about 450 µs

// Must be called by every process that barrier_everywhere() shall reach. False where the kernel does not offer it.
bool register_for_barriers();
// A full memory barrier on every processor that now runs a registered process, this one included.
bool barrier_everywhere();

// Returns when woken, when the word is not `expected`, or after `limit`.
void wait_on_futex(std::atomic<std::uint32_t>& word, std::uint32_t expected, Nanoseconds limit);
void wake_futex(std::atomic<std::uint32_t>& word);

// A datagram socket in the abstract name space: a datagram, whatever is in it, makes it readable. Nothing in a file
// system; the name ends with the process.
Error open_waking_socket(std::uint64_t name, int& out);
void wake_socket(std::uint64_t name);
void empty_socket(int socket);

// Lets processes of the same user read this one's memory where the kernel would demand parenthood (yama, scope 1).
void permit_copying();
// Copies from another process's memory. Returns 0 or an errno.
int copy_from(std::int32_t pid, void* to, std::uint64_t from, std::size_t size);
// Copies into it; likewise.
int copy_to(std::int32_t pid, std::uint64_t to, const void* from, std::size_t size);

}  // namespace cow::transport::shm
