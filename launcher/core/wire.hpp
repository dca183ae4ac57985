// What mpirun and its agents say to each other: frames over a byte stream (a socket pair on this host, the remote
// shell's standard input and output elsewhere). mpirun and the agents are a tree (tree.hpp); a frame goes along its
// edges to the node that it names, or from it to mpirun. This is the one home of the format.
//
//   frame   u32 size of the body in bytes | u16 kind | u16 zero | u32 node | body
//   node    downwards whom the frame is for (`everyone`: all below); upwards whom it is from
//   u8, u32, u64   little-endian
//   text    u32 length | bytes (any bytes, no terminator)
//   list    u32 count | elements
//
// An agent opens with the 8 bytes of `greeting` and a hello frame; whatever a login script printed before the greeting
// is skipped. It learns its own number with the job, and calls itself `unknown_node` until then. Kinds are never reused. Both ends of a job belong to one installation, so a version that differs is an
// error and not a negotiation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cow::launch {

inline constexpr std::string_view greeting = "\x01" "COWAGT" "\n";
inline constexpr std::uint32_t protocol_version = 5;
inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t max_body = std::size_t{256} << 20;  // a longer frame is garbage: the stream is given up

inline constexpr std::uint32_t everyone = ~0u;          // nodes that are none
inline constexpr std::uint32_t unknown_node = ~0u - 1;

enum class Kind : std::uint16_t {
  // downwards
  job = 1,             // Job (job.hpp); from the parent
  input = 2,           // text: bytes for rank 0's standard input; empty: its end
  output_credit = 3,   // u32 bytes that have left mpirun
  signal = 4,          // u32 signal number, for all ranks
  end = 5,             // u32 milliseconds between SIGTERM and SIGKILL; 0: SIGKILL at once
  fence_answer = 6,    // u64 fence (the child's number), u32 PMIx status, text data
  modex_question = 7,  // u64 question, u32 rank, u8 without PMIx (rank_lines.hpp): the agent hosts this rank
  modex_answer = 8,    // u64 question, u32 PMIx status, text data (both directions)
  event = 9,           // u32 PMIx status, u32 source rank, text packed infos (both directions)
  goodbye = 10,        // nothing more is wanted: end
  // 11 is kept for MPI_Comm_spawn: applications and places that are added to a running job (see Agent::start_ranks)
  // upwards
  hello = 32,           // u32 protocol version, u32 pid, text host name
  started = 33,         // list of (u32 rank, u32 pid)
  start_failure = 34,   // u32 rank, u32 errno, text what was tried
  output = 35,          // u32 rank, u8 stream (1, 2), u8 flags (output_*), text bytes
  input_credit = 36,    // u32 bytes more that may be sent
  connected = 37,       // u32 rank: has called PMIx_Init
  exited = 38,          // u32 rank, u32 wait status, u8 flags (exit_*)
  aborted = 39,         // u32 rank, u32 status, text message
  fence = 40,           // u64 fence, list of u32 ranks (empty: all), text data; from a child, for all below it (fences.hpp)
  modex_request = 41,   // u64 question, u32 rank, u8 without PMIx
  complaint = 42,       // text: the agent cannot go on
  bindings = 43,        // list of (u32 rank, text where it may run)
  watched = 44,         // the kernels of the node and of its parent watch each other; said by the parent, from the node
  lost_node = 45,       // u32 exit status, text why; said by the parent, from the node: it and all below it are lost
  remote_words = 46,    // text: what the node's remote shell said; said by the parent, from the node
};

inline constexpr std::uint8_t output_open_line = 1;  // the bytes end inside a line that will go on
inline constexpr std::uint8_t exit_connected = 1;    // the rank had called PMIx_Init
inline constexpr std::uint8_t exit_finalized = 2;    // and PMIx_Finalize

// Builds a body.
class Writer {
 public:
  Writer& u8(std::uint8_t value);
  Writer& u32(std::uint32_t value);
  Writer& u64(std::uint64_t value);
  Writer& text(std::string_view value);
  Writer& texts(const std::vector<std::string>& values);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reads a body. A read beyond the end gives zero or nothing and marks the reader bad; nothing is ever read outside.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::string_view text();
  std::vector<std::string> texts();
  // The count of a list whose elements take at least `least` bytes each; 0 and bad when the body cannot hold so many.
  std::uint32_t count(std::size_t least);
  bool good() const { return good_; }
  bool finished() const { return good_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size);
  std::string_view rest_;
  bool good_ = true;
};

struct Frame {
  Kind kind{};
  std::uint32_t node = everyone;
  std::string_view body;  // valid until the next call to the parser
};

// Cuts a stream of bytes into frames.
class FrameParser {
 public:
  void feed(std::string_view bytes);
  bool next(Frame& out);             // false: no whole frame is here
  bool broken() const { return broken_; }  // a header made no sense; no more frames will come
  std::size_t waiting() const { return bytes_.size() - start_; }

 private:
  std::string bytes_;
  std::size_t start_ = 0;
  bool broken_ = false;
};

void append_frame(std::string& out, Kind kind, std::uint32_t node, std::string_view body);
std::string make_frame(Kind kind, std::uint32_t node, std::string_view body);

}  // namespace cow::launch
