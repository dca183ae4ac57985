// Messages of a process to itself. Nothing travels: the receive that matches is found at once, or the message waits
// among the unexpected ones, as a copy when it is small, else at the sender.
#include <algorithm>
#include <cstring>

#include "pt2pt/engine.hpp"

namespace cow::pt2pt {
namespace {

// Copies the first `bytes` bytes of one typed buffer to another.
void copy_typed(const SendArgs& from, const RecvArgs& to, std::size_t bytes) {
  const auto size = static_cast<MPI_Count>(bytes);
  if (bytes == 0) return;
  if (from.type->contiguous) {
    const void* data = data_of(from.buffer, *from.type);
    if (to.type->contiguous)
      memmove(data_of(to.buffer, *to.type), data, bytes);
    else
      unpack(*to.type, to.buffer, to.count, 0, data, size);
    return;
  }
  if (to.type->contiguous) {
    pack(*from.type, from.buffer, from.count, 0, data_of(to.buffer, *to.type), size);
    return;
  }
  std::byte piece[8192];
  for (MPI_Count done = 0; done < size;) {
    const MPI_Count step = std::min<MPI_Count>(size - done, sizeof piece);
    pack(*from.type, from.buffer, from.count, done, piece, step);
    unpack(*to.type, to.buffer, to.count, done, piece, step);
    done += step;
  }
}

}  // namespace

void begin_local(Send& send) {
  const MatchKey key{send.args.context, send.out.head.source, send.args.tag};
  if (Receive* receive = engine.posted.take(key)) {
    note_matched(*receive, key.source, key.tag, send.size);
    return take_local(*receive, send);
  }
  const bool copy = fits_eager(send.size, engine.eager_limit) && send.args.mode != SendMode::synchronous;
  Unexpected* message = make_unexpected(copy ? send.size : 0);
  if (!message) return end(send, fail(ErrorClass::no_mem, "no memory for a message of %zu bytes to itself", send.size));
  message->key = key;
  message->size = send.size;
  if (copy)
    pack(*send.args.type, send.args.buffer, send.args.count, 0, message->bytes(), static_cast<MPI_Count>(send.size));
  else
    message->local = &send;
  engine.unexpected.insert(*message);
  if (runtime::threads_multiple) progress::tell_waiters();  // one may be probing
  if (copy) end(send, success);
}

void take_local(Receive& receive, Send& send) {
  copy_typed(send.args, receive.args, std::min(send.size, receive.room));
  end(receive, success);
  end(send, success);
}

}  // namespace cow::pt2pt
