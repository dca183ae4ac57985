#include "topo/adjacency.hpp"

#include <algorithm>
#include <array>

#include "topo/parcels.hpp"

namespace cow::topo {
namespace {

enum Side { outgoing, incoming };

void append(std::vector<int>& to, const std::vector<int>& numbers) {
  to.insert(to.end(), numbers.begin(), numbers.end());
}

}  // namespace

Error collect_edges(Comm& comm, const std::vector<ToldEdge>& told, Adjacency& own) {
  Parcels parcels(comm);
  for (const ToldEdge& edge : told) {
    parcels.add(edge.source, std::array{int{outgoing}, edge.destination, edge.weight});
    parcels.add(edge.destination, std::array{int{incoming}, edge.source, edge.weight});
  }
  std::vector<int> arrived;
  if (Error error = parcels.deliver(comm, arrived)) return error;
  for (std::size_t i = 0; i + 2 < arrived.size(); i += 3) {
    const bool out = arrived[i] == outgoing;
    (out ? own.destinations : own.sources).push_back(arrived[i + 1]);
    (out ? own.destination_weights : own.source_weights).push_back(arrived[i + 2]);
  }
  return success;
}

Error gather_edges(Comm& comm, const Adjacency& own, Edges& all) {
  Parcels parcels(comm);
  for (std::size_t i = 0; i < own.destinations.size(); ++i)
    parcels.add(0, std::array{comm.rank, own.destinations[i], own.destination_weights[i]});
  std::vector<int> arrived;
  if (Error error = parcels.deliver(comm, arrived)) return error;
  for (std::size_t i = 0; i + 2 < arrived.size(); i += 3) all.push_back({arrived[i], arrived[i + 1], arrived[i + 2]});
  return success;
}

Error hand_over(Comm& comm, const std::vector<int>& members, Adjacency& adjacency) {
  std::vector<int> numbers{static_cast<int>(adjacency.sources.size())};
  append(numbers, adjacency.sources);
  append(numbers, adjacency.source_weights);
  append(numbers, adjacency.destinations);
  append(numbers, adjacency.destination_weights);
  Parcels parcels(comm);
  parcels.add(members[static_cast<std::size_t>(comm.rank)], numbers);
  std::vector<int> arrived;
  if (Error error = parcels.deliver(comm, arrived)) return error;
  const auto in = static_cast<std::size_t>(arrived.front());
  const std::size_t out = (arrived.size() - 1) / 2 - in;
  auto take = [at = arrived.begin() + 1](std::size_t n) mutable {
    const auto from = at;
    at += static_cast<std::ptrdiff_t>(n);
    return std::vector<int>(from, at);
  };
  adjacency.sources = take(in);
  adjacency.source_weights = take(in);
  adjacency.destinations = take(out);
  adjacency.destination_weights = take(out);
  return success;
}

}  // namespace cow::topo
