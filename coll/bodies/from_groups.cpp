// Communicators made from groups alone: there is no communicator whose messages could be used. The members meet in a
// context that each computes from the group and the program's tag, which nobody else has at that time; the group's first
// member sends the new communicator's context down a tree there. Calls with other groups or tags do not meet, and calls
// with the same come in the same order everywhere.
#include <algorithm>
#include <cstring>

#include "api/bodies.hpp"
#include "base/siphash.hpp"
#include "coll/comms/new_comm.hpp"
#include "objects/errhandler.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "pt2pt/pt2pt.hpp"

namespace cow {

using namespace coll;

namespace {

// Bit 62 tells these contexts from those that are counted, see new_context().
class MeetingPoint {
 public:
  explicit MeetingPoint(const char* purpose) { add(purpose, strlen(purpose) + 1); }
  void add(const void* bytes, std::size_t size) { text_.append(static_cast<const char*>(bytes), size); }
  void add(const Group& group) {
    const int size = group.size();
    add(&size, sizeof size);
    for (int r = 0; r < size; ++r) {
      const Process process = group.process(r);  // a rank of the job: the same number at all members
      add(&process, sizeof process);
    }
  }
  std::uint64_t context() const {
    const std::uint64_t hash = siphash({}, text_.data(), text_.size());
    return std::uint64_t{1} << 62 | (hash & ((std::uint64_t{1} << 60) - 1)) << 1;
  }

 private:
  std::string text_;
};

// A communicator for the messages of one call: no handle, and nothing that costs.
class Meeting {
 public:
  // Takes over the caller's reference to `group`.
  Meeting(Group& group, std::uint64_t context, Errhandler& errhandler) : comm_(new Comm) {
    comm_->context = context;
    comm_->group = &group;
    comm_->rank = group.rank;
    comm_->name = "the communicator to be";
    replace(comm_->errhandler, errhandler);
  }
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  ~Meeting() { release(*comm_); }
  Comm& comm() { return *comm_; }

  // From rank `root` to all, down a binomial tree.
  Error pass_down(void* bytes, MPI_Count size, int root) {
    const int n = comm_->size();
    const int place = (comm_->rank - root + n) % n;
    int mask = 1;
    while (mask < n && !(place & mask)) mask *= 2;
    Datatype* const byte = find(MPI_BYTE);
    if (place != 0) {
      const int from = (place - mask + root) % n;
      if (Error error = pt2pt::recv({bytes, size, byte, from, 0, comm_, comm_->context}, nullptr)) return error;
    }
    for (mask /= 2; mask > 0; mask /= 2) {
      if (place + mask >= n) continue;
      const int to = (place + mask + root) % n;
      if (Error error = pt2pt::send({bytes, size, byte, to, 0, comm_, comm_->context})) return error;
    }
    return success;
  }

 private:
  Comm* comm_;
};

Group& held(Group& group) {
  retain(group);
  return group;
}

Error check(const char* stringtag, const Errhandler& errhandler) {
  if (errhandler.kind != HandlerKind::any && errhandler.kind != HandlerKind::comm)
    return fail(ErrorClass::errhandler, "the error handler was not created for communicators");
  if (strlen(stringtag) >= MPI_MAX_STRINGTAG_LEN)
    return fail(ErrorClass::arg, "the tag has %zu characters, at most %d are allowed", strlen(stringtag),
                MPI_MAX_STRINGTAG_LEN - 1);
  return success;
}

Error need_member(const Group& group) {
  if (group.rank != MPI_UNDEFINED) return success;
  return fail(ErrorClass::group, "this process is not a member of the group");
}

Error create(Group& group, const char* stringtag, const Info* info, Errhandler& errhandler, MPI_Comm* out) {
  if (Error error = check(stringtag, errhandler)) return error;
  if (group.size() == 0) return *out = MPI_COMM_NULL, success;
  if (Error error = need_member(group)) return error;
  MeetingPoint point("comm");
  point.add(stringtag, strlen(stringtag));
  point.add(group);
  Meeting meeting(held(group), point.context(), errhandler);
  std::uint64_t context = group.rank == 0 ? new_context() : 0;
  if (Error error = meeting.pass_down(&context, sizeof context, 0)) return error;
  Comm* made;
  if (Error error = make_comm(context, &held(group), meeting.comm(), made)) return error;
  if (info) set_hints(*made, *info);
  *out = handle_of(*made);
  return success;
}

struct Contexts {
  std::uint64_t own;    // of the intercommunicator
  std::uint64_t local;  // of the local group's collectives
};

// The two leaders offer a context each, and the smaller is taken.
Error agree(const Group& local, int local_leader, const Group& remote, int remote_leader, const char* stringtag,
            Errhandler& errhandler, Contexts& out) {
  out = {new_context(), new_context()};
  const Process mine = local.process(local_leader), theirs = remote.process(remote_leader);
  const bool first = mine < theirs;
  MeetingPoint point("leaders");
  point.add(stringtag, strlen(stringtag));
  point.add(first ? local : remote);
  point.add(first ? remote : local);
  Group* const pair = make_group({std::min(mine, theirs), std::max(mine, theirs)});
  Meeting meeting(*pair, point.context(), errhandler);
  const std::uint64_t offered = out.own;
  std::uint64_t other = 0;
  const Line line{&meeting.comm(), first ? 1 : 0, 0, meeting.comm().context};
  if (Error error = swap_bytes(line, &offered, sizeof offered, &other, sizeof other)) return error;
  out.own = std::min(offered, other);
  return success;
}

Error check_pair(const Group& local, int local_leader, const Group& remote, int remote_leader) {
  if (local_leader < 0 || local_leader >= local.size())
    return fail(ErrorClass::rank, "local_leader %d: the local group has %d ranks", local_leader, local.size());
  if (remote_leader < 0 || remote_leader >= remote.size())
    return fail(ErrorClass::rank, "remote_leader %d: the remote group has %d ranks", remote_leader, remote.size());
  for (int r = 0; r < remote.size(); ++r)
    if (local.contains(remote.process(r))) return fail(ErrorClass::group, "a process is in both groups");
  return success;
}

Error create_across(Group& local, int local_leader, Group& remote, int remote_leader, const char* stringtag,
                    const Info* info, Errhandler& errhandler, MPI_Comm* out) {
  if (Error error = check(stringtag, errhandler)) return error;
  // Nobody to talk to: the call is local, its leaders mean nothing, and the null communicator is the answer.
  if (local.size() == 0 || remote.size() == 0) return *out = MPI_COMM_NULL, success;
  if (Error error = need_member(local)) return error;
  if (Error error = check_pair(local, local_leader, remote, remote_leader)) return error;
  MeetingPoint point("side");
  point.add(stringtag, strlen(stringtag));
  point.add(local);
  point.add(remote);
  Meeting meeting(held(local), point.context(), errhandler);
  Contexts contexts{};
  Error failed = success;
  if (local.rank == local_leader)
    failed = agree(local, local_leader, remote, remote_leader, stringtag, errhandler, contexts);
  const Error told = meeting.pass_down(&contexts, sizeof contexts, local_leader);
  if (failed || told) return failed ? failed : told;
  Comm* made;
  if (Error error = make_intercomm(contexts.own, contexts.local, &held(local), &held(remote), meeting.comm(), made))
    return error;
  if (info) set_hints(*made, *info);
  *out = handle_of(*made);
  return success;
}

}  // namespace

Error body::Comm_create_from_group(Group& group, const char* stringtag, Info* info, Errhandler& errhandler,
                                   MPI_Comm* newcomm) {
  return create(group, stringtag, info, errhandler, newcomm);
}

Error body::Intercomm_create_from_groups(Group& local_group, int local_leader, Group& remote_group, int remote_leader,
                                         const char* stringtag, Info* info, Errhandler& errhandler,
                                         MPI_Comm* newintercomm) {
  return create_across(local_group, local_leader, remote_group, remote_leader, stringtag, info, errhandler,
                       newintercomm);
}

}  // namespace cow
