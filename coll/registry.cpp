#include "coll/registry.hpp"

#include <array>

#include "coll/algorithms/all.hpp"

namespace cow::coll {
namespace {

constexpr const char* collective_names[collectives] = {
    "barrier",       "bcast",     "reduce",   "allreduce", "gather",
    "scatter",       "gatherv",   "scatterv", "allgather", "allgatherv",
    "alltoall",      "alltoallv", "scan",     "exscan",    "reduce_scatter_block",
    "reduce_scatter"};

template <class A>
constexpr Algorithm entry() {
  return {A::collective, A::name, &A::valid, &A::cost, &A::template run<Recorder>};
}

template <class... As>
constexpr auto table_of(AlgorithmList<As...>) {
  return std::array<Algorithm, sizeof...(As)>{entry<As>()...};
}

constexpr auto table = table_of(AllAlgorithms{});

}  // namespace

const char* name_of(Collective collective) { return collective_names[static_cast<int>(collective)]; }

std::span<const Algorithm> algorithms() { return table; }

const Algorithm* find_algorithm(Collective collective, std::string_view name) {
  for (const Algorithm& algorithm : table)
    if (algorithm.collective == collective && algorithm.name == name) return &algorithm;
  return nullptr;
}

double predicted_time(const Algorithm& algorithm, const Problem& problem, const Model& model, Patterns* patterns) {
  Cost cost(model, patterns);
  algorithm.cost(cost, problem);
  return cost.time();
}

}  // namespace cow::coll
