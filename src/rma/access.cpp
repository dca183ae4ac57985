#include "rma/access.hpp"

#include <algorithm>
#include <cstring>

#include "base/id_table.hpp"
#include "rma/checks.hpp"

namespace cow::rma {
namespace {

using transport::Outgoing;

// Under way: until each of its messages has left and each answer has come.
struct Access {
  Window* window;
  AccessArgs args;
  unsigned number_of_element = 0;
  std::uint32_t id = 0;
  bool has_id = false;
  std::size_t pending = 1;  // messages, answers, and one until all have been begun
  std::uint32_t unanswered = 0;
  Request* request = nullptr;
  int failed = MPI_SUCCESS;
};

IdTable<Access>& accesses() {
  static auto& made = *new IdTable<Access>;
  return made;
}

const RequestKind kind{.name = "one-sided operation", .release = [](Request& request) {
                         if (request.comm) release(*request.comm);
                         delete &request;
                       }};

Error outcome(const Access& access) {
  if (access.failed == MPI_SUCCESS) return success;
  if (access.failed == MPI_ERR_RMA_RANGE)
    return fail(MPI_ERR_RMA_RANGE, "rank %d has no memory attached there", access.args.rank);
  return transport::failure_of(transport::peer_of(access.window->comm->group->process(access.args.rank)));
}

void part_done(Access* access) {
  if (--access->pending > 0) return;
  if (access->has_id) accesses().erase(access->id);
  Target& target = access->window->target(access->args.rank);
  --target.under_way;
  if (access->request)
    finish(*access->request, outcome(*access));
  else if (access->failed == MPI_ERR_RMA_RANGE)
    ++access->window->refused;
  for (Datatype* type : {access->args.origin.type, access->args.result.type, access->args.type})
    if (type) release(*type);
  delete access;
}

// One message: the runs and the data are written where the port wants them.
struct Fragment : Outgoing {
  Access* access;
  wire::Rma rma;
  std::vector<wire::RmaRun> runs;
  std::size_t data = 0;

  std::size_t size() const { return runs.size() * sizeof(wire::RmaRun) + data; }
};

void write(void* state, void* out) {
  const auto& fragment = *static_cast<const Fragment*>(state);
  const AccessArgs& args = fragment.access->args;
  auto* to = static_cast<std::byte*>(out);
  memcpy(to, fragment.runs.data(), fragment.runs.size() * sizeof(wire::RmaRun));
  to += fragment.runs.size() * sizeof(wire::RmaRun);
  if (fragment.data == 0) return;
  pack(*args.origin.type, args.origin.memory, args.origin.count, static_cast<MPI_Count>(fragment.rma.offset), to,
       fragment.rma.bytes);
  if (args.swap_value) memcpy(to + fragment.rma.bytes, data_of(args.swap_value, *args.type), fragment.rma.bytes);
}

void left(Outgoing& out, Error error) {
  auto* const fragment = static_cast<Fragment*>(&out);
  Access* const access = fragment->access;
  if (error) {
    access->failed = error.code();
    if (access->has_id) part_done(access);  // no answer will come
  }
  part_done(access);
  delete fragment;
}

void post_fragment(Fragment* fragment) {
  Access* const access = fragment->access;
  Window& window = *access->window;
  const int rank = access->args.rank;
  access->pending += access->has_id ? 2 : 1;
  window.target(rank).dirty = true;
  if (rank == window.comm->rank) {
    std::vector<std::byte> body(fragment->size() + 1);
    write(fragment, body.data());
    COW_INVARIANT(handle(window, rank, fragment->rma, body.data(), fragment->size()));
    return left(*fragment, success);
  }
  fragment->head.kind = wire::Kind::rma;
  fragment->head.context = window.comm->context;
  fragment->head.source = window.comm->rank;
  fragment->set_extra(fragment->rma);
  fragment->body = {.size = fragment->size(), .produce = write, .state = fragment};
  fragment->posted = left;
  if (transport::post(transport::peer_of(window.comm->group->process(rank)), *fragment) == transport::Post::done)
    left(*fragment, success);
}

// The runs of the next message, of whole elements.
MPI_Count next_runs(const AccessArgs& args, const void* place, MPI_Count offset, MPI_Count unit, Fragment& out) {
  MemoryRun runs[most_runs];
  const auto room = static_cast<MPI_Count>(most_bytes / static_cast<std::size_t>(unit)) * unit;
  MPI_Count bytes = std::min(args.count * args.type->size - offset, room), covered = 0;
  int n = memory_runs(*args.type, place, args.count, offset, bytes, runs, most_runs, &covered);
  if (covered % unit != 0)
    n = memory_runs(*args.type, place, args.count, offset, covered / unit * unit, runs, most_runs, &covered);
  for (int i = 0; i < n; ++i) out.runs.push_back({runs[i].address, runs[i].bytes});
  return covered;
}

void post_all(Access* access, MPI_Aint place, const Datatype* element) {
  const AccessArgs& args = access->args;
  const MPI_Count total = args.count * args.type->size, unit = element ? element->size : 1;
  const bool sends = args.verb != Verb::get && !(args.op && args.op == find(MPI_NO_OP));
  for (MPI_Count offset = 0; offset < total;) {
    auto* const fragment = new Fragment;
    fragment->access = access;
    const MPI_Count bytes = next_runs(args, reinterpret_cast<const void*>(place), offset, unit, *fragment);
    fragment->data = sends ? static_cast<std::size_t>(bytes) * (args.swap_value ? 2 : 1) : 0;
    fragment->rma.verb = static_cast<std::uint8_t>(args.verb);
    fragment->rma.op = args.op ? static_cast<std::uint8_t>(args.op->index) : 0;
    fragment->rma.type = static_cast<std::uint16_t>(access->number_of_element);
    fragment->rma.access = access->id;
    fragment->rma.offset = static_cast<std::uint64_t>(offset);
    fragment->rma.runs = static_cast<std::uint32_t>(fragment->runs.size());
    fragment->rma.bytes = static_cast<std::uint32_t>(bytes);
    post_fragment(fragment);
    offset += bytes;
  }
}

// From one buffer to another of this process.
void copy(const Buffer& from, const Buffer& to) {
  const MPI_Count total = std::min(from.bytes(), to.bytes());
  if (total == 0) return;
  if (from.type->contiguous && to.type->contiguous) {
    memmove(data_of(to.memory, *to.type), data_of(static_cast<const void*>(from.memory), *from.type),
            static_cast<std::size_t>(total));
    return;
  }
  std::byte chunk[most_bytes];
  for (MPI_Count at = 0; at < total; at += static_cast<MPI_Count>(most_bytes)) {
    const MPI_Count bytes = std::min<MPI_Count>(total - at, most_bytes);
    pack(*from.type, from.memory, from.count, at, chunk, bytes);
    unpack(*to.type, to.memory, to.count, at, chunk, bytes);
  }
}

Request* make_request(Window& window) {
  auto* const request = new Request(kind);
  request->comm = window.comm;
  retain(*window.comm);
  return request;
}

bool done_directly(Window& window, const AccessArgs& args, MPI_Aint place) {
  std::byte* const mapped = window.target(args.rank).mapped;
  if (!mapped || window.dynamic()) return false;
  const Buffer there{mapped + place, args.count, args.type};
  if (args.verb == Verb::put)
    copy(args.origin, there);
  else if (args.verb == Verb::get)
    copy(there, args.result);
  else
    return false;
  return true;
}

Error begin_by_messages(Window& window, const AccessArgs& args, MPI_Aint place, const Datatype* element,
                        Request* request) {
  auto* const access = new Access{.window = &window, .args = args};
  for (Datatype* type : {args.origin.type, args.result.type, args.type})
    if (type) retain(*type);
  if (element) access->number_of_element = number_of(*element);
  access->has_id = args.result.type != nullptr;
  if (access->has_id) access->id = accesses().insert(*access);
  if ((access->request = request)) retain(*request);
  ++window.target(args.rank).under_way;
  post_all(access, place, element);
  part_done(access);
  return success;
}

}  // namespace

Error begin(Window& window, const AccessArgs& args, Request*& out) {
  const Datatype* element = nullptr;
  MPI_Aint place = 0;
  if (Error error = check(window, args, element, place)) return error;
  Request* const request = args.wants_request ? make_request(window) : nullptr;
  out = request;
  if (args.rank == MPI_PROC_NULL || args.count * args.type->size == 0 || done_directly(window, args, place)) {
    if (request) mark_complete(*request);
    return success;
  }
  return begin_by_messages(window, args, place, element, request);
}

void take_data(const wire::Rma& head, const std::byte* bytes) {
  Access* const access = accesses().find(head.access);
  if (!access) return;
  const Buffer& result = access->args.result;
  if (head.runs > 0)
    access->failed = MPI_ERR_RMA_RANGE;
  else
    unpack(*result.type, result.memory, result.count, static_cast<MPI_Count>(head.offset), bytes, head.bytes);
  part_done(access);
}

}  // namespace cow::rma
