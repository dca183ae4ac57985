#include "pt2pt/partitioned.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "objects/comm_name.hpp"
#include "objects/group.hpp"

namespace cow::pt2pt {
namespace {

// Beside the bits that communicators use for their side messages: see coll/comms/new_comm.hpp.
constexpr std::uint64_t meeting_bit = std::uint64_t{1} << 60;
constexpr std::uint64_t channel_bit = std::uint64_t{1} << 61;

std::uint64_t new_channel() {
  static std::uint64_t made = 0;
  return channel_bit | (std::uint64_t{this_process} + 1) << 36 | ++made << 1;
}

// What the sender tells the receiver when both are made.
struct Introduction {
  std::uint64_t channel = 0;
  std::uint64_t bytes = 0;  // of one partition
  std::uint32_t partitions = 0;
  std::uint32_t zero = 0;
};

struct Partitioned : Request {
  Partitioned(const RequestKind& kind_of_request, const PartitionedArgs& given)
      : Request(kind_of_request), args(given) {
    persistent = true;
    active = false;
    comm = args.comm;
    retain(*comm);
    retain(*args.type);
  }
  ~Partitioned() {
    release(*args.type);
    release(*comm);
  }

  const PartitionedArgs args;
  Introduction introduction;  // the sender's; the receiver knows it once met
  std::size_t open = 0;       // messages of this round that are not through yet
  Error outcome;              // of this round: the first that failed, and its message
  std::string what;

  std::size_t bytes() const {  // of one partition of this side
    return static_cast<std::size_t>(args.count) * static_cast<std::size_t>(args.type->size);
  }
  std::size_t all_bytes() const { return bytes() * static_cast<std::size_t>(args.partitions); }
  std::byte* at(MPI_Count element) const { return static_cast<std::byte*>(args.buffer) + element * args.type->extent; }
  void note(Error error) {
    if (!error || outcome) return;
    outcome = error;
    what = last_failure();
  }
  void begin_round(std::size_t messages) {
    complete.store(false, std::memory_order_relaxed);
    status = empty_status;
    failure.reset();
    outcome = success;
    open = messages;
    retain(*this);  // until the round ends
  }
  void end_round() { finish(*this, outcome ? fail(outcome.code(), "%s", what.c_str()) : success); }
};

// ---- sender

// A partition on its way.
struct Sending : Continuation {
  struct PartitionedSend* owner = nullptr;
  bool ready = false;
};

struct PartitionedSend : Partitioned {
  using Partitioned::Partitioned;
  std::vector<Sending> parts;  // as many as messages_of()
};

// Each partition is a message. A send without any still has its rounds, which the receiver must hear of: it is one message
// of no bytes, that goes at the start.
std::size_t messages_of(std::size_t partitions) { return std::max<std::size_t>(partitions, 1); }

Error send_part(PartitionedSend& send, int number);

void partition_sent(Continuation& continuation, Request& request) {
  PartitionedSend& send = *static_cast<Sending&>(continuation).owner;
  send.note(error_of(request));
  release(request);
  if (--send.open == 0) send.end_round();
}

Error start_send(Request& request) {
  auto& send = static_cast<PartitionedSend&>(request);
  for (Sending& part : send.parts) part.ready = false;
  send.begin_round(send.parts.size());
  if (send.args.partitions > 0) return success;
  const Error error = send_part(send, 0);
  if (error) release(send);  // the round's reference
  return error;
}

const RequestKind send_kind{.name = "partitioned send", .start = start_send, .release = [](Request& request) {
                              delete static_cast<PartitionedSend*>(&request);
                            }};

// The introduction as a message: it is gone when it has left.
struct Letter : Continuation {
  Introduction introduction;
};

Error introduce(const PartitionedSend& send) {
  auto letter = std::make_unique<Letter>();
  letter->introduction = send.introduction;
  letter->run = [](Continuation& self, Request& request) {
    release(request);
    delete static_cast<Letter*>(&self);
  };
  Request* request;
  const Comm& comm = *send.comm;
  if (Error error = isend({&letter->introduction, sizeof letter->introduction, find(MPI_BYTE), send.args.rank,
                           send.args.tag, send.comm, comm.context | meeting_bit},
                          request))
    return error;
  when_complete(*request, *letter.release());
  return success;
}

// ---- receiver

struct Receiving : Continuation {
  struct PartitionedReceive* owner = nullptr;
  bool arrived = false;
  std::unique_ptr<std::byte[]> staged;  // a message that begins or ends inside an element
};

struct PartitionedReceive : Partitioned, Continuation {
  using Partitioned::Partitioned;
  std::vector<Receiving> parts;  // by the sender's partitions
  Request* meeting = nullptr;    // the introduction to come; null once it is there
  bool waiting = false;          // started before it came
};

std::size_t offset_of(const PartitionedReceive& receive, const Receiving& part) {
  return static_cast<std::size_t>(&part - receive.parts.data()) * receive.introduction.bytes;
}

// Where a message of the sender's partition goes.
struct Place {
  void* buffer;
  MPI_Count count;
  Datatype* type;
};

Error place_of(PartitionedReceive& receive, Receiving& part, Place& out) {
  Datatype& type = *receive.args.type;
  const std::size_t offset = offset_of(receive, part), room = receive.all_bytes();
  const std::size_t fits = offset >= room ? 0 : std::min(room - offset, std::size_t{receive.introduction.bytes});
  out = {nullptr, static_cast<MPI_Count>(fits), find(MPI_BYTE)};
  if (fits == 0) return success;
  const auto size = static_cast<std::size_t>(type.size);
  if (type.contiguous) {
    out.buffer = static_cast<std::byte*>(data_of(receive.args.buffer, type)) + offset;
  } else if (offset % size == 0 && fits % size == 0) {
    out = {receive.at(static_cast<MPI_Count>(offset / size)), static_cast<MPI_Count>(fits / size), &type};
  } else {
    part.staged.reset(new (std::nothrow) std::byte[fits]);
    if (!part.staged) return fail(ErrorClass::no_mem, "no memory for a partition of %zu bytes", fits);
    out.buffer = part.staged.get();
  }
  return success;
}

void end_receive(PartitionedReceive& receive) {
  receive.status.MPI_SOURCE = receive.args.rank;
  receive.status.MPI_TAG = receive.args.rank == MPI_PROC_NULL ? int{MPI_ANY_TAG} : receive.args.tag;
  const std::size_t sent = receive.introduction.bytes * receive.introduction.partitions, room = receive.all_bytes();
  set_bytes(receive.status, static_cast<MPI_Count>(std::min(sent, room)));
  if (sent > room) {
    receive.outcome = ErrorClass::truncate;
    receive.what = "message truncated: rank " + std::to_string(receive.args.rank) + " of " + describe(*receive.comm) +
                   " sent " + std::to_string(receive.introduction.partitions) + " partitions of " +
                   std::to_string(receive.introduction.bytes) + " bytes with tag " + std::to_string(receive.args.tag) +
                   ", the receive has room for " + std::to_string(receive.args.partitions) + " of " +
                   std::to_string(receive.bytes());
  }
  receive.end_round();
}

void partition_arrived(Continuation& continuation, Request& request) {
  auto& part = static_cast<Receiving&>(continuation);
  PartitionedReceive& receive = *part.owner;
  receive.note(error_of(request));
  if (part.staged)
    unpack(*receive.args.type, receive.args.buffer, receive.args.count * receive.args.partitions,
           static_cast<MPI_Count>(offset_of(receive, part)), part.staged.get(), bytes_of(request.status));
  part.staged.reset();
  part.arrived = true;
  release(request);
  if (--receive.open == 0) end_receive(receive);
}

void post_parts(PartitionedReceive& receive) {
  receive.waiting = false;
  receive.open = receive.parts.size() + 1;  // one until all are posted
  for (std::size_t i = 0; i < receive.parts.size(); ++i) {
    Receiving& part = receive.parts[i];
    Place place;
    Request* request = nullptr;
    Error error = place_of(receive, part, place);
    if (!error)
      error = irecv({place.buffer, place.count, place.type, receive.args.rank, static_cast<int>(i), receive.comm,
                     receive.introduction.channel},
                    request);
    receive.note(error);
    if (error)
      --receive.open;
    else
      when_complete(*request, part);
  }
  if (--receive.open == 0) end_receive(receive);
}

void make_parts(PartitionedReceive& receive) {
  receive.parts = std::vector<Receiving>(messages_of(receive.introduction.partitions));
  for (Receiving& part : receive.parts) {
    part.owner = &receive;
    part.run = partition_arrived;
  }
}

void met(Continuation& continuation, Request& request) {
  auto& receive = static_cast<PartitionedReceive&>(continuation);
  receive.meeting = nullptr;
  receive.note(error_of(request));
  const bool cancelled = is_cancelled(request.status);
  release(request);
  if (cancelled) return;
  if (receive.freed) {
    delete &receive;
    return;
  }
  make_parts(receive);
  if (receive.waiting) post_parts(receive);
}

Error start_receive(Request& request) {
  auto& receive = static_cast<PartitionedReceive&>(request);
  for (Receiving& part : receive.parts) part.arrived = false;
  receive.begin_round(0);
  receive.waiting = receive.meeting != nullptr;
  if (!receive.waiting) post_parts(receive);
  return success;
}

void release_receive(Request& request) {
  auto* receive = static_cast<PartitionedReceive*>(&request);
  receive->freed = true;
  if (receive->meeting) receive->meeting->kind->cancel(*receive->meeting).ignore();  // runs met()
  if (!receive->meeting) delete receive;
}

const RequestKind receive_kind{.name = "partitioned receive", .start = start_receive, .release = release_receive};

Error send_part(PartitionedSend& send, int number) {
  const PartitionedArgs& args = send.args;
  const MPI_Count count = args.partitions > 0 ? args.count : 0;
  Request* message;
  if (Error error =
          isend({send.at(number * count), count, args.type, args.rank, number, send.comm, send.introduction.channel},
                message))
    return error;
  Sending& part = send.parts[static_cast<std::size_t>(number)];
  part.ready = true;
  when_complete(*message, part);
  return success;
}

// The messages that a partition of the receive comes in: from `first` up to, not including, `last`.
struct Span {
  std::size_t first, last;
};

// By bytes; where either side has none, by its share of all partitions, which for equal sizes is the same. What lies behind
// all that is sent comes with the last.
Span messages_for(const PartitionedReceive& receive, std::size_t partition) {
  const std::size_t bytes = receive.introduction.bytes, own = receive.bytes(), all = receive.parts.size();
  if (bytes > 0 && own > 0) {
    const std::size_t begin = partition * own, sent = bytes * receive.introduction.partitions;
    if (begin >= sent) return {0, all};
    return {begin / bytes, std::min(all, (begin + own + bytes - 1) / bytes)};
  }
  const auto count = static_cast<std::size_t>(receive.args.partitions);
  return {partition * all / count, ((partition + 1) * all + count - 1) / count};
}

Error check_range(const Partitioned& request, int partition) {
  if (partition >= 0 && partition < request.args.partitions) return success;
  return fail(ErrorClass::arg, "partition %d does not exist: the request has %d", partition, request.args.partitions);
}

}  // namespace

Error make_partitioned_send(const PartitionedArgs& args, Request*& out) {
  auto* send = new PartitionedSend(send_kind, args);
  send->parts = std::vector<Sending>(messages_of(static_cast<std::size_t>(args.partitions)));
  for (Sending& part : send->parts) {
    part.owner = send;
    part.run = partition_sent;
  }
  send->introduction = {new_channel(), send->bytes(), static_cast<std::uint32_t>(args.partitions), 0};
  if (args.rank != MPI_PROC_NULL) {
    if (Error error = introduce(*send)) {
      release(*send);
      return error;
    }
  }
  out = send;
  return success;
}

Error make_partitioned_receive(const PartitionedArgs& args, Request*& out) {
  auto* receive = new PartitionedReceive(receive_kind, args);
  out = receive;
  if (args.rank == MPI_PROC_NULL) return success;  // a sender without partitions
  receive->run = met;
  Request* request;
  if (Error error = irecv({&receive->introduction, sizeof receive->introduction, find(MPI_BYTE), args.rank, args.tag,
                           receive->comm, receive->comm->context | meeting_bit},
                          request)) {
    release(*receive);
    return error;
  }
  receive->meeting = request;
  when_complete(*request, *receive);
  return success;
}

Error mark_ready(Request& request, int partition) {
  if (request.kind != &send_kind) return fail(ErrorClass::request, "the request is no partitioned send");
  auto& send = static_cast<PartitionedSend&>(request);
  if (!send.active) return fail(ErrorClass::request, "the partitioned send has not been started");
  if (Error error = check_range(send, partition)) return error;
  Sending& part = send.parts[static_cast<std::size_t>(partition)];
  if (part.ready) return fail(ErrorClass::arg, "partition %d has been marked ready already", partition);
  return send_part(send, partition);
}

Error has_arrived(Request& request, int partition, bool& arrived) {
  if (request.kind != &receive_kind) return fail(ErrorClass::request, "the request is no partitioned receive");
  auto& receive = static_cast<PartitionedReceive&>(request);
  if (Error error = check_range(receive, partition)) return error;
  arrived = !receive.active || receive.done();
  if (arrived || receive.meeting) return success;
  const Span span = messages_for(receive, static_cast<std::size_t>(partition));
  arrived = true;
  for (std::size_t i = span.first; i < span.last; ++i) arrived = arrived && receive.parts[i].arrived;
  return success;
}

}  // namespace cow::pt2pt
