// The costs of send modes, from the numbers of the model.
#pragma once

#include "coll/core/model.hpp"
#include "pt2pt/send_costs.hpp"

namespace cow::coll {

// Between nodes (`far`) or within one, while no thread makes progress.
inline pt2pt::SendCosts send_costs(const Model& model, bool far) {
  // A snapshot whose bytes go over a network is read piece by piece between the pieces' departures, which takes twice as long
  // as reading it at once.
  const double kept = far ? model.beta + 2 * model.kept : model.kept;
  return {far ? model.alpha : model.node_alpha,
          far ? model.beta : model.node_large,
          model.keep,
          model.fresh,
          model.snapshot,
          model.resident,
          kept,
          !far};
}

}  // namespace cow::coll
