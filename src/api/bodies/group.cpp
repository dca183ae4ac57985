// Groups.
#include "objects/group.hpp"

#include <vector>

#include "api/bodies.hpp"

namespace cow {

Error body::Group_size(Group& group, int* size) {
  *size = group.size();
  return success;
}

Error body::Group_rank(Group& group, int* rank) {
  *rank = group.rank;
  return success;
}

Error body::Group_compare(Group& group1, Group& group2, int* result) {
  *result = compare(group1, group2);
  return success;
}

namespace {

// Hands a new group to the program: the handle takes the reference over.
Error hand_out(Group* group, MPI_Group* out) {
  const Error error = give_handle(group, out);
  release(*group);
  return error;
}

Error check_length(int n) { return n >= 0 ? success : fail(ErrorClass::arg, "n is %d, must not be negative", n); }

// Each rank valid, and none twice.
Error check_distinct(const Group& group, std::span<const int> ranks) {
  std::vector<bool> seen(static_cast<std::size_t>(group.size()));
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (ranks[i] < 0 || ranks[i] >= group.size())
      return fail(ErrorClass::rank, "rank %d does not exist: the group has %d processes", ranks[i], group.size());
    const auto rank = static_cast<std::size_t>(ranks[i]);
    if (seen[rank]) return fail(ErrorClass::rank, "rank %d is named twice", ranks[i]);
    seen[rank] = true;
  }
  return success;
}

Error check_ranks(const Group& group, int n, const int* ranks) {
  if (const Error error = check_length(n)) return error;
  if (n > 0 && !ranks) return fail(ErrorClass::arg, "ranks is a null pointer");
  return check_distinct(group, {ranks, static_cast<std::size_t>(n)});
}

// The ranks that triplets (first, last, stride) stand for.
Error expand(const Group& group, int n, const int (*ranges)[3], std::vector<int>& ranks) {
  if (const Error error = check_length(n)) return error;
  if (n > 0 && !ranges) return fail(ErrorClass::arg, "ranges is a null pointer");
  for (int i = 0; i < n; ++i) {
    const auto [first, last, stride] = ranges[i];
    if (stride == 0) return fail(ErrorClass::arg, "the stride of range %d is 0", i);
    for (const int end : {first, last})
      if (end < 0 || end >= group.size())
        return fail(ErrorClass::rank, "rank %d of range %d does not exist: the group has %d processes", end, i,
                    group.size());
    for (std::int64_t rank = first; stride > 0 ? rank <= last : rank >= last; rank += stride)
      ranks.push_back(static_cast<int>(rank));
  }
  return check_distinct(group, ranks);
}

}  // namespace

Error body::Group_union(Group& group1, Group& group2, MPI_Group* newgroup) {
  return hand_out(unite(group1, group2), newgroup);
}

Error body::Group_intersection(Group& group1, Group& group2, MPI_Group* newgroup) {
  return hand_out(intersect(group1, group2), newgroup);
}

Error body::Group_difference(Group& group1, Group& group2, MPI_Group* newgroup) {
  return hand_out(subtract(group1, group2), newgroup);
}

Error body::Group_incl(Group& group, int n, const int* ranks, MPI_Group* newgroup) {
  if (const Error error = check_ranks(group, n, ranks)) return error;
  return hand_out(include(group, {ranks, static_cast<std::size_t>(n)}), newgroup);
}

Error body::Group_excl(Group& group, int n, const int* ranks, MPI_Group* newgroup) {
  if (const Error error = check_ranks(group, n, ranks)) return error;
  return hand_out(exclude(group, {ranks, static_cast<std::size_t>(n)}), newgroup);
}

Error body::Group_range_incl(Group& group, int n, int (*ranges)[3], MPI_Group* newgroup) {
  std::vector<int> ranks;
  if (const Error error = expand(group, n, ranges, ranks)) return error;
  return hand_out(include(group, ranks), newgroup);
}

Error body::Group_range_excl(Group& group, int n, int (*ranges)[3], MPI_Group* newgroup) {
  std::vector<int> ranks;
  if (const Error error = expand(group, n, ranges, ranks)) return error;
  return hand_out(exclude(group, ranks), newgroup);
}

Error body::Group_translate_ranks(Group& group1, int n, const int* ranks1, Group& group2, int* ranks2) {
  if (const Error error = check_length(n)) return error;
  if (n > 0 && (!ranks1 || !ranks2)) return fail(ErrorClass::arg, "%s is a null pointer", ranks1 ? "ranks2" : "ranks1");
  for (int i = 0; i < n; ++i)
    if (ranks1[i] != MPI_PROC_NULL && (ranks1[i] < 0 || ranks1[i] >= group1.size()))
      return fail(ErrorClass::rank, "rank %d (ranks1[%d]) does not exist: the group has %d processes", ranks1[i], i,
                  group1.size());
  translate(group1, {ranks1, static_cast<std::size_t>(n)}, group2, ranks2);
  return success;
}

Error body::Group_free(MPI_Group* group) {
  if (const Error error = free_handle(*find(*group))) return error;
  *group = MPI_GROUP_NULL;
  return success;
}

}  // namespace cow
