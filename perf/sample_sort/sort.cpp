#include "sample_sort/sort.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace sample_sort {
namespace {

using Views = std::vector<std::string_view>;
using Ints = std::vector<int>;

int ranks_of(MPI_Comm comm) {
  int ranks = 1;
  MPI_Comm_size(comm, &ranks);
  return ranks;
}

int rank_of(MPI_Comm comm) {
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

Ints displacements_of(const Ints& counts) {
  Ints displacements(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), displacements.begin(), 0);
  return displacements;
}

int sum(const Ints& counts) { return std::accumulate(counts.begin(), counts.end(), 0); }

void append(std::string& text, std::string_view line) {
  text.append(line);
  text.push_back('\n');
}

// Every rank gives up to `ranks` lines at equal distances of its sorted part; all get all of them.
Lines share_samples(const Views& sorted, MPI_Comm comm) {
  const int ranks = ranks_of(comm);
  std::string mine;
  for (int i = 0; i < ranks && !sorted.empty(); ++i)
    append(mine, sorted[sorted.size() * static_cast<std::size_t>(i) / static_cast<std::size_t>(ranks)]);
  const int size = static_cast<int>(mine.size());
  Ints sizes(static_cast<std::size_t>(ranks));
  MPI_Allgather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, comm);
  Lines all;
  all.text.resize(static_cast<std::size_t>(sum(sizes)));
  MPI_Allgatherv(mine.data(), size, MPI_CHAR, all.text.data(), sizes.data(), displacements_of(sizes).data(), MPI_CHAR,
                 comm);
  return all;
}

// ranks - 1 lines that part the ranges; chosen by rank 0, so that all ranks use the very same.
Lines choose_borders(const Views& sorted, MPI_Comm comm) {
  const Lines samples = share_samples(sorted, comm);
  const std::size_t ranks = static_cast<std::size_t>(ranks_of(comm));
  Lines borders;
  if (rank_of(comm) == 0) {
    Views views = samples.views();
    std::sort(views.begin(), views.end());
    for (std::size_t i = 1; i < ranks && !views.empty(); ++i) append(borders.text, views[views.size() * i / ranks]);
  }
  int size = static_cast<int>(borders.text.size());
  MPI_Bcast(&size, 1, MPI_INT, 0, comm);
  borders.text.resize(static_cast<std::size_t>(size));
  MPI_Bcast(borders.text.data(), size, MPI_CHAR, 0, comm);
  return borders;
}

// The sorted lines as one text, and how many of its bytes go to each rank.
std::string pack_by_range(const Views& sorted, const Lines& borders, Ints& bytes) {
  const Views limits = borders.views();
  std::string text;
  std::size_t range = 0;
  for (const std::string_view line : sorted) {
    while (range < limits.size() && line >= limits[range]) ++range;
    append(text, line);
    bytes[range] += static_cast<int>(line.size()) + 1;
  }
  return text;
}

// Each part came sorted from its sender; neighbouring runs are merged until one is left.
std::string merge_runs(const Lines& received, const Ints& bytes) {
  Views views = received.views();
  std::vector<std::size_t> ends{0};
  const char* end = received.text.data();
  for (const int size : bytes) {
    end += size;
    const auto past = std::partition_point(views.begin() + static_cast<long>(ends.back()), views.end(),
                                           [end](std::string_view line) { return line.data() < end; });
    ends.push_back(static_cast<std::size_t>(past - views.begin()));
  }
  const auto at = [&](std::size_t run) {
    return views.begin() + static_cast<long>(ends[std::min(run, ends.size() - 1)]);
  };
  for (std::size_t width = 1; width < ends.size() - 1; width *= 2)
    for (std::size_t run = 0; run + width < ends.size() - 1; run += 2 * width)
      std::inplace_merge(at(run), at(run + width), at(run + 2 * width));
  std::string text;
  text.reserve(received.text.size());
  for (const std::string_view line : views) append(text, line);
  return text;
}

}  // namespace

Lines scatter_lines(const std::string& text, MPI_Comm comm) {
  const int ranks = ranks_of(comm), rank = rank_of(comm);
  Ints bytes(static_cast<std::size_t>(ranks));
  if (rank == 0) {
    const auto cuts = cut_at_lines(text, ranks);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<int>(cuts[i + 1] - cuts[i]);
  }
  MPI_Bcast(bytes.data(), ranks, MPI_INT, 0, comm);
  Lines mine;
  const int size = bytes[static_cast<std::size_t>(rank)];
  mine.text.resize(static_cast<std::size_t>(size));
  MPI_Scatterv(text.data(), bytes.data(), displacements_of(bytes).data(), MPI_CHAR, mine.text.data(), size, MPI_CHAR, 0,
               comm);
  return mine;
}

Lines sort_lines(const Lines& lines, MPI_Comm comm) {
  Views sorted = lines.views();
  std::sort(sorted.begin(), sorted.end());
  const Lines borders = choose_borders(sorted, comm);
  Ints out_bytes(static_cast<std::size_t>(ranks_of(comm))), in_bytes(out_bytes.size());
  const std::string out = pack_by_range(sorted, borders, out_bytes);
  MPI_Alltoall(out_bytes.data(), 1, MPI_INT, in_bytes.data(), 1, MPI_INT, comm);
  Lines in;
  in.text.resize(static_cast<std::size_t>(sum(in_bytes)));
  MPI_Alltoallv(out.data(), out_bytes.data(), displacements_of(out_bytes).data(), MPI_CHAR, in.text.data(),
                in_bytes.data(), displacements_of(in_bytes).data(), MPI_CHAR, comm);
  return Lines{merge_runs(in, in_bytes)};
}

std::string gather_lines(const Lines& lines, bool by_messages, MPI_Comm comm) {
  const int ranks = ranks_of(comm), rank = rank_of(comm);
  const int size = static_cast<int>(lines.text.size());
  Ints sizes(static_cast<std::size_t>(ranks));
  MPI_Gather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, 0, comm);
  std::string all(static_cast<std::size_t>(rank == 0 ? sum(sizes) : 0), '\0');
  const Ints places = displacements_of(sizes);
  if (!by_messages) {
    MPI_Gatherv(lines.text.data(), size, MPI_CHAR, all.data(), sizes.data(), places.data(), MPI_CHAR, 0, comm);
    return all;
  }
  if (rank != 0) {
    MPI_Send(lines.text.data(), size, MPI_CHAR, 0, 7, comm);
    return all;
  }
  std::copy(lines.text.begin(), lines.text.end(), all.begin());
  for (int from = 1; from < ranks; ++from) {
    const std::size_t i = static_cast<std::size_t>(from);
    MPI_Recv(all.data() + places[i], sizes[i], MPI_CHAR, from, 7, comm, MPI_STATUS_IGNORE);
  }
  return all;
}

}  // namespace sample_sort
