#include "coll/select/registry.hpp"

#include <array>

#include "coll/shm/all.hpp"
#include "coll/shm/recorder.hpp"

namespace cow::coll {
namespace {

template <class A>
constexpr bool is_fixed_order() {
  if constexpr (requires { A::fixed_order; }) return A::fixed_order;
  return false;
}

template <class A>
constexpr bool has_parts_on_memory() {
  if constexpr (requires { A::parts_on_memory; }) return A::parts_on_memory;
  return false;
}

template <class A>
constexpr Algorithm entry() {
  return {A::collective,      A::name, &A::valid, &A::cost, &A::template run<Recorder>, false, has_parts_on_memory<A>(),
          is_fixed_order<A>()};
}
template <class A>
void record_way(Recorder& recorder, const Args& args) {
  shm::Recorder memory(recorder);
  A::run(memory, args);
}
template <class A>
constexpr Algorithm way() {
  return {A::collective, A::name, &A::valid, &A::cost, &record_way<A>, true, false, is_fixed_order<A>()};
}

template <class... As, class... Ways>
constexpr auto table_of(AlgorithmList<As...>, AlgorithmList<Ways...>) {
  return std::array<Algorithm, sizeof...(As) + sizeof...(Ways)>{entry<As>()..., way<Ways>()...};
}

constexpr auto table = table_of(AllAlgorithms{}, shm::AllWays{});

}  // namespace

template <class... As>
constexpr std::size_t count_of(AlgorithmList<As...>) {
  return sizeof...(As);
}
const std::size_t first_way_on_memory = count_of(AllAlgorithms{});

std::span<const Algorithm> algorithms() { return table; }

const Algorithm* find_algorithm(Collective collective, std::string_view name) {
  for (const Algorithm& algorithm : table)
    if (algorithm.collective == collective && algorithm.name == name) return &algorithm;
  return nullptr;
}

double predicted_time(const Algorithm& algorithm, const Problem& problem, const Model& model, Patterns* patterns) {
  // Without wires all that is known may be that the ranks share one node.
  const bool inside = !patterns && problem.nodes && problem.nodes->count() == 1;
  Cost cost(model, patterns, inside ? problem.size : 0);
  algorithm.cost(cost, problem);
  return cost.time();
}

}  // namespace cow::coll
