#include "topo/parcels.hpp"

#include "coll/execute/execute.hpp"
#include "coll/prepare/prepare.hpp"

namespace cow::topo {
namespace {

using coll::Operation;

// Where blocks begin that lie behind one another; the last number is where they end.
std::vector<MPI_Count> starts(const std::vector<MPI_Count>& counts) {
  std::vector<MPI_Count> out{0};
  for (const MPI_Count count : counts) out.push_back(out.back() + count);
  return out;
}

}  // namespace

Error Parcels::deliver(Comm& comm, std::vector<int>& arrived) const {
  std::vector<MPI_Count> out_counts, in_counts(to_.size());
  std::vector<int> out;
  for (const std::vector<int>& parcel : to_) {
    out_counts.push_back(static_cast<MPI_Count>(parcel.size()));
    out.insert(out.end(), parcel.begin(), parcel.end());
  }
  Datatype* const number = find(MPI_INT);
  Datatype* const count = find(MPI_COUNT);
  Operation sizes;
  if (Error error = coll::prepare_alltoall(sizes, comm, {out_counts.data(), 1, count}, {in_counts.data(), 1, count}))
    return error;
  if (Error error = coll::run_blocking(sizes)) return error;
  const std::vector<MPI_Count> out_starts = starts(out_counts), in_starts = starts(in_counts);
  arrived.resize(static_cast<std::size_t>(in_starts.back()));
  Operation contents;
  if (Error error = coll::prepare_alltoallv(contents, comm, {out.data(), out_counts.data(), out_starts.data(), number},
                                            {arrived.data(), in_counts.data(), in_starts.data(), number}))
    return error;
  return coll::run_blocking(contents);
}

}  // namespace cow::topo
