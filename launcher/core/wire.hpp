// What mpirun and its agents say to each other: frames over a byte stream (a socket pair on this host, the remote
// shell's standard input and output elsewhere). mpirun and the agents are a tree (tree.hpp); a frame goes along its
// edges to the node that it names, or from it to mpirun. This is the home of the format; what each kind of frame carries is
// in frames.hpp.
//
//   frame   u32 size of the body in bytes | u16 kind | u16 zero | u32 node | body
//   node    downwards whom the frame is for (`everyone`: all below); upwards whom it is from
//   body    the fields of its kind, one after the other, and nothing else
//   u8, u16, u32, u64   little-endian; signed numbers as their two's complement; a bool is a u8 of 0 or 1
//   duration   u32 of milliseconds
//   text    u32 length | bytes (any bytes, no terminator)
//   list    u32 count | elements
//
// An agent opens with the 8 bytes of `greeting` and a hello frame; whatever a login script printed before the greeting
// is skipped. It learns its own number with the job, and calls itself `unknown_node` until then. Both ends of a job belong to
// one installation, so a version that differs is an error and not a negotiation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cow::launch {

inline constexpr std::string_view greeting =
    "\x01"
    "COWAGT"
    "\n";
inline constexpr std::uint32_t protocol_version = 7;
inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t max_body = std::size_t{256} << 20;  // a longer frame is garbage: the stream is given up

inline constexpr std::uint32_t everyone = ~0u;  // nodes that are none
inline constexpr std::uint32_t unknown_node = ~0u - 1;

// Never reused.
enum class Kind : std::uint16_t {
  // downwards
  job = 1,
  input = 2,
  output_credit = 3,
  signal = 4,
  end = 5,
  fence_answer = 6,
  modex_question = 7,
  modex_answer = 8,  // in both directions
  event = 9,         // in both directions
  goodbye = 10,      // in both directions
  // 11 is kept for MPI_Comm_spawn: applications and places that are added to a running job (see Agent::start_ranks)
  // upwards
  hello = 32,
  started = 33,
  start_failure = 34,
  output = 35,
  input_credit = 36,
  connected = 37,
  exited = 38,
  aborted = 39,
  fence = 40,
  modex_request = 41,
  complaint = 42,
  bindings = 43,
  watched = 44,
  lost_node = 45,
  remote_words = 46,
  why = 47,
};

// Builds a body.
class Writer {
 public:
  Writer& u8(std::uint8_t value);
  Writer& u16(std::uint16_t value);
  Writer& u32(std::uint32_t value);
  Writer& u64(std::uint64_t value);
  Writer& text(std::string_view value);
  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads a body. A read beyond the end gives zero or nothing and marks the reader bad; nothing is ever read outside.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  std::string_view text();
  // The count of a list whose elements take at least `least` bytes each; 0 and bad when the body cannot hold so many.
  std::uint32_t count(std::size_t least);
  bool good() const { return good_; }
  void spoil() { good_ = false; }  // what was read makes no sense
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
  bool next(Frame& out);                   // false: no whole frame is here
  bool broken() const { return broken_; }  // a header made no sense; no more frames will come
  std::size_t waiting() const { return bytes_.size() - start_; }

 private:
  std::string bytes_;
  std::size_t start_ = 0;
  bool broken_ = false;
};

void append_frame(std::string& out, const Frame& frame);

}  // namespace cow::launch
