#include "pt2pt/buffered.hpp"

#include <cstdlib>
#include <utility>

#include "base/at_end.hpp"
#include "objects/session.hpp"
#include "runtime/progress.hpp"

namespace cow::pt2pt {

// Gives back the room of messages that have left.
void SendBuffer::reclaim() {
  std::erase_if(segments_, [](const Segment& segment) {
    if (!segment.request->done()) return false;
    release(*segment.request);
    free(segment.own);
    return true;
  });
}

// The first gap of `bytes` bytes, and where in the list it belongs.
bool SendBuffer::find_gap(std::size_t bytes, Segment& segment, std::size_t& position) const {
  segment.begin = position = 0;
  for (const Segment& used : segments_) {
    if (used.begin - segment.begin >= bytes) break;
    segment.begin = used.end;
    ++position;
  }
  segment.end = segment.begin + bytes;
  return segment.end <= (position < segments_.size() ? segments_[position].begin : size_);
}

Error SendBuffer::place(std::size_t bytes, Segment& segment, std::size_t& position, std::byte*& memory) {
  if (automatic_) {
    position = segments_.size();
    segment.own = malloc(bytes ? bytes : 1);
    memory = static_cast<std::byte*>(segment.own);
    return memory ? success : fail(ErrorClass::no_mem, "no memory for a copy of %zu bytes", bytes);
  }
  if (!attached_) return fail(ErrorClass::buffer, "no buffer is attached for a message of %zu bytes", bytes);
  // The overhead is not needed, but programs count on its being part of the account.
  if (!find_gap(bytes + MPI_BSEND_OVERHEAD, segment, position))
    return fail(ErrorClass::buffer,
                "the attached buffer of %zu bytes has no room for a message of %zu bytes and %d bytes of overhead: "
                "%zu messages are still in it",
                size_, bytes, MPI_BSEND_OVERHEAD, segments_.size());
  memory = base_ + segment.begin;
  return success;
}

Error SendBuffer::send(const SendArgs& args) {
  reclaim();
  const MPI_Count bytes = args.count * args.type->size;
  Segment segment;
  std::size_t position;
  std::byte* memory;
  if (place(static_cast<std::size_t>(bytes), segment, position, memory)) {
    progress::poll();  // room may come from messages that are about to leave
    reclaim();
    if (Error error = place(static_cast<std::size_t>(bytes), segment, position, memory)) return error;
  }
  pack(*args.type, args.buffer, args.count, 0, memory, bytes);
  SendArgs copy = args;
  copy.buffer = memory;
  copy.count = bytes;
  copy.type = find(MPI_PACKED);
  copy.mode = SendMode::standard;
  AtEnd freeing([&segment] { free(segment.own); });
  segments_.reserve(segments_.size() + 1);
  if (Error error = isend(copy, segment.request)) return error;
  // Nobody asks for the request: what is known by now to keep the message from leaving is an error of this call.
  if (Error error = segment.request->done() ? error_of(*segment.request) : success) {
    release(*segment.request);
    return error;
  }
  freeing.forget();
  // A communicator owns its buffer: a request in it that kept the communicator would keep both for ever. Nobody asks for
  // this request's error handler.
  if (Comm* comm = std::exchange(segment.request->comm, nullptr)) release(*comm);
  segments_.insert(segments_.begin() + static_cast<std::ptrdiff_t>(position), segment);
  return success;
}

Error SendBuffer::attach(void* memory, MPI_Count size) {
  if (attached_) return fail(ErrorClass::buffer, "a buffer of %zu bytes is attached already", size_);
  automatic_ = memory == MPI_BUFFER_AUTOMATIC;
  if (!memory && size > 0) return fail(ErrorClass::buffer, "the buffer is a null pointer");
  base_ = static_cast<std::byte*>(memory);
  size_ = static_cast<std::size_t>(size);
  attached_ = true;
  return success;
}

void SendBuffer::flush() {
  std::vector<Request*> pending;  // the list may change while another thread has the lock
  const AtEnd releasing([&] {
    for (Request* request : pending) release(*request);
  });
  for (const Segment& segment : segments_) {
    pending.push_back(segment.request);
    retain(*segment.request);
  }
  for (Request* request : pending) progress::wait_until([&] { return request->done(); });
  reclaim();
}

Request* SendBuffer::begin_flush() {
  CompoundRequest* joint = make_compound_request(nullptr);
  for (const Segment& segment : segments_) {
    retain(*segment.request);
    joint->add(*segment.request);
  }
  joint->close();
  joint->status = empty_status;
  return joint;
}

Error SendBuffer::detach(void** memory, MPI_Count* size) {
  if (!attached_) return fail(ErrorClass::buffer, "no buffer is attached");
  flush();
  *memory = base_;
  *size = static_cast<MPI_Count>(size_);
  attached_ = automatic_ = false;
  size_ = 0;
  return success;
}

SendBuffer& process_buffer() {
  static SendBuffer buffer;
  return buffer;
}

namespace {

struct OwnBuffer final : CommExtension {
  SendBuffer buffer;
  ~OwnBuffer() override {
    const progress::Settling settling;
    buffer.flush();
  }
};

SendBuffer& buffer_in(CommExtension*& place) {
  if (!place) place = new OwnBuffer;
  return static_cast<OwnBuffer*>(place)->buffer;
}

SendBuffer& narrowest(const Comm& comm) {
  const auto attached = [](CommExtension* place) { return place && static_cast<OwnBuffer*>(place)->buffer.attached(); };
  if (attached(comm.buffer)) return static_cast<OwnBuffer*>(comm.buffer)->buffer;
  const Session* const session = find_session(comm.group->session);
  if (session && attached(session->buffer)) return static_cast<OwnBuffer*>(session->buffer)->buffer;
  return process_buffer();
}

}  // namespace

SendBuffer& buffer_of(Comm& comm) { return buffer_in(comm.buffer); }
SendBuffer& buffer_of(Session& session) { return buffer_in(session.buffer); }

Error send_buffered(const SendArgs& args) {
  if (args.rank == MPI_PROC_NULL) return success;
  return narrowest(*args.comm).send(args);
}

}  // namespace cow::pt2pt
