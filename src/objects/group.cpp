#include "objects/group.hpp"

#include <algorithm>
#include <numeric>

#include "objects/last_reference.hpp"

namespace cow {

Process this_process = 0;

namespace {

// For static storage: never destroyed, so that it can be used to the very end.
union EmptyGroup {
  Group value;
  EmptyGroup() : value() {}
  ~EmptyGroup() {}
};
EmptyGroup empty_storage;

// Ranks of a group by process: answers many questions in constant time each, after work linear in the group.
class Inverse {
 public:
  explicit Inverse(const Group& group) : group_(group) {
    if (group.list_bytes() == 0) return;  // rank_of is constant time
    for (int i = 0; i < group.size(); ++i) highest_ = std::max(highest_, group.process(i));
    // Process numbers are dense, so that an array indexed by them is not much longer than the list.
    if (highest_ / 64 > static_cast<Process>(group.size())) return;
    ranks_.assign(highest_ + std::size_t{1}, MPI_UNDEFINED);
    for (int i = 0; i < group.size(); ++i) ranks_[group.process(i)] = i;
  }
  int operator()(Process process) const {
    if (ranks_.empty()) return group_.rank_of(process);
    return process <= highest_ ? ranks_[process] : MPI_UNDEFINED;
  }

 private:
  const Group& group_;
  Process highest_ = 0;
  std::vector<int> ranks_;
};

}  // namespace

Group& empty_group = empty_storage.value;

Group* make_group(Process first, int step, int size) {
  auto* group = new Group;
  group->size_ = size;
  group->first_ = first;
  group->step_ = step;
  group->rank = group->rank_of(this_process);
  return group;
}

Group* make_group(std::vector<Process>&& processes) {
  const auto size = static_cast<int>(processes.size());
  const std::int64_t first = size > 0 ? processes[0] : 0;
  const std::int64_t step = size > 1 ? processes[1] - first : 1;
  bool regular = step >= INT32_MIN && step <= INT32_MAX;
  for (int i = 2; regular && i < size; ++i) regular = processes[static_cast<std::size_t>(i)] == first + i * step;
  if (regular) return make_group(static_cast<Process>(first), static_cast<int>(step), size);
  auto* group = new Group;
  group->size_ = size;
  group->list_ = std::make_unique<Process[]>(processes.size());
  std::copy(processes.begin(), processes.end(), group->list_.get());
  const auto self = std::find(processes.begin(), processes.end(), this_process);
  if (self != processes.end()) group->rank = static_cast<int>(self - processes.begin());
  return group;
}

void release(Group& group) {
  if (drop_reference(group)) delete &group;
}

void Group::build_index() const {
  auto index = std::make_unique<std::int32_t[]>(static_cast<std::size_t>(size_));
  std::iota(index.get(), index.get() + size_, 0);
  std::sort(index.get(), index.get() + size_, [this](int a, int b) { return process(a) < process(b); });
  by_process_ = std::move(index);
}

int Group::rank_of(Process process) const {
  if (!list_) {
    const std::int64_t distance = std::int64_t{process} - first_;
    if (distance % step_ != 0) return MPI_UNDEFINED;
    const std::int64_t rank = distance / step_;
    return rank >= 0 && rank < size_ ? static_cast<int>(rank) : MPI_UNDEFINED;
  }
  if (!by_process_) build_index();
  const std::int32_t* begin = by_process_.get();
  const std::int32_t* end = begin + size_;
  const std::int32_t* found =
      std::lower_bound(begin, end, process, [this](int other, Process p) { return this->process(other) < p; });
  return found != end && this->process(*found) == process ? *found : MPI_UNDEFINED;
}

Error give_handle(Group* group, MPI_Group* out) {
  if (group->size() == 0) {
    *out = MPI_GROUP_EMPTY;
    return success;
  }
  if (group->index == 0)
    if (const Error error = table<Group>().insert(*group)) return error;
  ++group->handles;
  retain(*group);
  *out = handle_of(*group);
  return success;
}

Error free_handle(Group& group) {
  if (group.predefined()) return success;  // MPI_GROUP_EMPTY may be freed as the result of a call
  if (--group.handles == 0) table<Group>().erase(group);
  release(group);
  return success;
}

namespace {

// What is made from a group belongs to the same session.
Group* make_from(const Group& origin, std::vector<Process>&& members) {
  Group* const group = make_group(std::move(members));
  group->session = origin.session;
  return group;
}

}  // namespace

Group* unite(const Group& a, const Group& b) {
  std::vector<Process> members;
  members.reserve(static_cast<std::size_t>(a.size()) + static_cast<std::size_t>(b.size()));
  for (int i = 0; i < a.size(); ++i) members.push_back(a.process(i));
  const Inverse in_a(a);
  for (int i = 0; i < b.size(); ++i)
    if (in_a(b.process(i)) == MPI_UNDEFINED) members.push_back(b.process(i));
  return make_from(a.size() > 0 ? a : b, std::move(members));
}

namespace {

Group* filter(const Group& a, const Group& b, bool common) {
  std::vector<Process> members;
  const Inverse in_b(b);
  for (int i = 0; i < a.size(); ++i)
    if ((in_b(a.process(i)) != MPI_UNDEFINED) == common) members.push_back(a.process(i));
  return make_from(a, std::move(members));
}

}  // namespace

Group* intersect(const Group& a, const Group& b) { return filter(a, b, true); }
Group* subtract(const Group& a, const Group& b) { return filter(a, b, false); }

Group* include(const Group& group, std::span<const int> ranks) {
  std::vector<Process> members;
  members.reserve(ranks.size());
  for (const int rank : ranks) members.push_back(group.process(rank));
  return make_from(group, std::move(members));
}

Group* exclude(const Group& group, std::span<const int> ranks) {
  const auto size = static_cast<std::size_t>(group.size());
  std::vector<bool> out(size);
  for (const int rank : ranks) out[static_cast<std::size_t>(rank)] = true;
  std::vector<Process> members;
  members.reserve(size - std::min(ranks.size(), size));
  for (int i = 0; i < group.size(); ++i)
    if (!out[static_cast<std::size_t>(i)]) members.push_back(group.process(i));
  return make_from(group, std::move(members));
}

int compare(const Group& a, const Group& b) {
  if (&a == &b) return MPI_IDENT;
  if (a.size() != b.size()) return MPI_UNEQUAL;
  int at = 0;
  while (at < a.size() && a.process(at) == b.process(at)) ++at;
  if (at == a.size()) return MPI_IDENT;
  const Inverse in_b(b);
  for (; at < a.size(); ++at)
    if (in_b(a.process(at)) == MPI_UNDEFINED) return MPI_UNEQUAL;
  return MPI_SIMILAR;
}

void translate(const Group& from, std::span<const int> ranks, const Group& to, int* out) {
  // A few questions are not worth a look at every member.
  const bool few = ranks.size() <= 8;
  const Inverse in_to(few ? empty_group : to);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (ranks[i] == MPI_PROC_NULL)
      out[i] = MPI_PROC_NULL;
    else
      out[i] = few ? to.rank_of(from.process(ranks[i])) : in_to(from.process(ranks[i]));
  }
}

}  // namespace cow
