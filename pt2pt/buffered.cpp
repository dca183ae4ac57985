#include "pt2pt/buffered.hpp"

#include <cstdlib>
#include <vector>

#include "runtime/progress.hpp"

namespace cow::pt2pt {
namespace {

// A message in the buffer, in the order of place.
struct Segment {
  std::size_t begin;
  std::size_t end;
  void* memory;      // MPI_BUFFER_AUTOMATIC: its own; else null
  Request* request;  // the send from it
};

struct Buffer {
  std::byte* base = nullptr;
  std::size_t size = 0;
  bool attached = false;
  bool automatic = false;
  std::vector<Segment> segments;
};
Buffer the_buffer;

// Gives back the room of messages that have left.
void reclaim() {
  std::erase_if(the_buffer.segments, [](const Segment& segment) {
    if (!segment.request->done()) return false;
    release(*segment.request);
    free(segment.memory);
    return true;
  });
}

// The first gap of `bytes` bytes; where in the list it belongs. False when there is none.
bool find_gap(std::size_t bytes, std::size_t& begin, std::size_t& position) {
  begin = position = 0;
  for (const Segment& segment : the_buffer.segments) {
    if (segment.begin - begin >= bytes) return true;
    begin = segment.end;
    ++position;
  }
  return the_buffer.size - begin >= bytes;
}

Error no_room(std::size_t bytes) {
  return fail(ErrorClass::buffer,
              the_buffer.attached
                  ? "the attached buffer of %zu bytes has no room for a message of %zu bytes (with %d bytes of overhead); "
                    "%zu messages are still in it"
                  : "no buffer is attached (%zu bytes) for a message of %zu bytes (with %d bytes of overhead); "
                    "%zu messages wait",
              the_buffer.size, bytes, MPI_BSEND_OVERHEAD, the_buffer.segments.size());
}

Error place(std::size_t bytes, Segment& segment, std::size_t& position, std::byte*& memory) {
  segment = {};
  if (the_buffer.automatic) {
    position = the_buffer.segments.size();
    segment.memory = malloc(bytes ? bytes : 1);
    memory = static_cast<std::byte*>(segment.memory);
    return memory ? success : fail(ErrorClass::no_mem, "no memory for a copy of %zu bytes", bytes);
  }
  // The overhead is not needed, but programs rely on its being part of the account.
  const std::size_t room = bytes + MPI_BSEND_OVERHEAD;
  if (!the_buffer.attached || !find_gap(room, segment.begin, position)) return no_room(bytes);
  segment.end = segment.begin + room;
  memory = the_buffer.base + segment.begin;
  return success;
}

}  // namespace

Error send_buffered(const SendArgs& args) {
  if (args.rank == MPI_PROC_NULL) return success;
  reclaim();
  const MPI_Count bytes = args.count * args.type->size;
  Segment segment;
  std::size_t position;
  std::byte* memory;
  if (Error error = place(static_cast<std::size_t>(bytes), segment, position, memory)) {
    // Room may come when messages that are under way have left.
    progress::poll();
    reclaim();
    if (place(static_cast<std::size_t>(bytes), segment, position, memory)) return error;
  }
  pack(*args.type, args.buffer, args.count, 0, memory, bytes);
  SendArgs copy = args;
  copy.buffer = memory;
  copy.count = bytes;
  copy.type = find(MPI_PACKED);
  copy.mode = SendMode::standard;
  if (Error error = isend(copy, segment.request)) {
    free(segment.memory);
    return error;
  }
  the_buffer.segments.insert(the_buffer.segments.begin() + static_cast<std::ptrdiff_t>(position), segment);
  return success;
}

Error attach_buffer(void* buffer, MPI_Count size) {
  if (the_buffer.attached) return fail(ErrorClass::buffer, "a buffer of %zu bytes is attached already", the_buffer.size);
  the_buffer.automatic = buffer == MPI_BUFFER_AUTOMATIC;
  if (!buffer && size > 0) return fail(ErrorClass::buffer, "the buffer is a null pointer");
  the_buffer.base = static_cast<std::byte*>(buffer);
  the_buffer.size = static_cast<std::size_t>(size);
  the_buffer.attached = true;
  return success;
}

Error flush_buffer() {
  progress::wait_until([] {
    for (const Segment& segment : the_buffer.segments)
      if (!segment.request->done()) return false;
    return true;
  });
  reclaim();
  return success;
}

Error detach_buffer(void** buffer, MPI_Count* size) {
  if (!the_buffer.attached) return fail(ErrorClass::buffer, "no buffer is attached");
  if (Error error = flush_buffer()) return error;
  *buffer = the_buffer.base;
  *size = static_cast<MPI_Count>(the_buffer.size);
  the_buffer.attached = false;
  the_buffer.automatic = false;
  the_buffer.size = 0;
  return success;
}

}  // namespace cow::pt2pt
