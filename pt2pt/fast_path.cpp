// The short path of a receive.
#include "pt2pt/fast_path.hpp"

#include <cstring>

#include "base/machine.hpp"
#include "runtime/progress.hpp"
#include "runtime/waiting.hpp"

namespace cow::pt2pt {
namespace {

using transport::shm::Link;

// What is looked for in a fifo, and where it goes.
struct Wanted {
  std::uint64_t context;
  int source;
  int tag;
  std::byte* to;
  std::size_t room;
};

bool can_be_received(int tag) { return tag >= 0 || tag == MPI_ANY_TAG; }

enum class Outcome { received, nothing_yet, not_plain };

// Takes the next message of a fifo into the buffer, if it is the eager message that is wanted and fits.
[[gnu::always_inline]] inline Outcome take_short(Peer& peer, const Wanted& wanted, MPI_Status* status) {
  Link& link = *peer.link;
  if (!link.in.ready()) return Outcome::nothing_yet;
  const wire::Header& next = link.in.head();
  const bool is_it = next.kind == wire::Kind::eager && next.context == wanted.context && next.source == wanted.source &&
                     (wanted.tag == next.tag || wanted.tag == MPI_ANY_TAG) && link.in.size() <= wanted.room;
  if (__builtin_expect(!is_it, 0)) return Outcome::not_plain;
  if (__builtin_expect(!engine.posted.empty(), 0) && engine.posted.find({next.context, next.source, next.tag}))
    return Outcome::not_plain;  // a receive that was posted before this one takes it
  const bool sound = link.in.take([&](const wire::Header& head, const std::byte* body, std::size_t size) {
    transport::note_received(peer, head);
    if (__builtin_expect(size > wanted.room, 0)) size = wanted.room;  // its writer has changed it meanwhile
    if (size <= transport::shm::inline_size)
      transport::shm::copy_inline(wanted.to, body, size);
    else
      memcpy(wanted.to, body, size);
    MPI_Status seen = empty_status;
    seen.MPI_SOURCE = head.source;
    seen.MPI_TAG = head.tag;
    set_bytes(seen, static_cast<MPI_Count>(size));
    show(seen, status);
    transport::release_buffer_soon(peer, transport::cost_of(size));
  });
  link.taken_one();
  if (__builtin_expect(sound, 1)) return Outcome::received;
  transport::drop(&peer, {}, transport::Drop::fifo_line);
  return Outcome::nothing_yet;
}

[[gnu::always_inline]] inline bool receive_soon(Process process, const Wanted& wanted, MPI_Status* status) {
  // A program that does nothing but receive short messages lets the rest of the library go on now and then.
  constexpr unsigned receives_between_polls = 64;
  // As long as waiting begins with spinning, about a microsecond of it.
  constexpr int patience = 100;
  static unsigned receives = 0;
  Peer* peer = short_peers[process];
  if (__builtin_expect(!peer || !peer->link->active, 0)) return false;
  // Within a poll the fifo still begins with the message that is being delivered.
  if (__builtin_expect(progress::is_polling(), 0)) return false;
  if (__builtin_expect(++receives % receives_between_polls == 0, 0)) progress::poll();
  if (__builtin_expect(engine.unexpected.size() > 0, 0) &&
      engine.unexpected.find({wanted.context, wanted.source, wanted.tag}))
    return false;
  for (int i = 0; i < patience; ++i) {
    const Outcome outcome = take_short(*peer, wanted, status);
    if (outcome != Outcome::nothing_yet) return outcome == Outcome::received;
    if (runtime::waiting_policy().spin == 0) return false;
    pause_processor();
  }
  return false;
}

}  // namespace

bool receive_short(void* buffer, MPI_Count count, MPI_Datatype datatype, int source, int tag, MPI_Comm handle,
                   MPI_Status* status) {
  Plain plain;
  if (!short_peers || !can_be_received(tag) || !look_up_plain(buffer, count, datatype, source, handle, plain))
    return false;
  auto* to = static_cast<std::byte*>(data_of(buffer, *plain.type));
  return receive_soon(plain.comm->group->process(source), {plain.comm->context, source, tag, to, plain.bytes}, status);
}

bool receive_short(const RecvArgs& args, MPI_Status* status) {
  if (!short_peers || !args.type->contiguous || args.rank < 0 || args.comm->remote_group) return false;
  const std::size_t room = static_cast<std::size_t>(args.count) * static_cast<std::size_t>(args.type->size);
  auto* to = static_cast<std::byte*>(data_of(args.buffer, *args.type));
  return receive_soon(args.comm->group->process(args.rank), {args.context, args.rank, args.tag, to, room}, status);
}

bool post_short(void* buffer, MPI_Count count, MPI_Datatype datatype, int source, int tag, MPI_Comm handle,
                MPI_Request* request) {
  Plain plain;
  if (!short_peers || !request || !can_be_received(tag)) return false;
  if (!look_up_plain(buffer, count, datatype, source, handle, plain)) return false;
  Receive* receive = engine.receive_pool.make(receive_kind);
  if (__builtin_expect(static_cast<bool>(table<Request>().insert(*receive)), 0)) {
    engine.receive_pool.destroy(receive);
    return false;
  }
  *request = handle_of(*receive);
  prepare(*receive, {buffer, count, plain.type, source, tag, plain.comm, plain.comm->context}, plain.bytes);
  begin(*receive);
  return true;
}

bool wait_for_received(MPI_Request* handle, MPI_Status* status) {
  Request* request = table<Request>().erase_if(reinterpret_cast<std::uintptr_t>(*handle), [](const Request& each) {
    return each.kind == &receive_kind && each.done() && each.status.MPI_ERROR == MPI_SUCCESS;
  });
  if (!request) return false;
  see_received(*handle, *request, status);
  return true;
}

}  // namespace cow::pt2pt
