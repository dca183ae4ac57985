// What mpirun decides for the agents, as plain data of the job: how ranks are bound (placement/binding.hpp acts on it) and how
// the loss of a host is noticed (tree/host_keepalive.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "launcher/core/time.hpp"

namespace cow::launch {

// A kind of place in a machine, from small to large.
enum class Level : std::uint8_t { none, hwthread, core, l2, l3, numa, socket, node };

// How the ranks of each node are bound: part of the job, acted on by the agents.
struct BindingPlan {
  Level map = Level::none;       // consecutive ranks go round the objects of this kind
  Level bind = Level::none;      // each rank may run on one object of this kind …
  std::uint32_t width = 1;       // … or on so many
  Level rank = Level::none;      // numbers go round the objects of this kind; none: as mapped
  std::uint32_t per_object = 1;  // ranks that follow each other on one object of `map`
  bool equal_shares = false;     // each rank gets an equal share of the cores; not bound when there are more ranks
  std::uint32_t most_cpus = 0;  // no shares where more are allowed than so many (then others may use them); 0: no limit
  bool report = false;          // tell mpirun where each rank may run
  static auto fields(auto& self) {
    return std::tie(self.map, self.bind, self.width, self.rank, self.per_object, self.equal_shares, self.most_cpus,
                    self.report);
  }
  bool operator==(const BindingPlan&) const = default;
};

// What an agent must know to connect to its parent's end of the keepalive.
struct KeepalivePlan {
  std::vector<std::string> addresses;  // of mpirun's host; tried all at once, because some may be other hosts' as well
  std::uint16_t port = 0;              // 0: there is none
  milliseconds timeout{};              // of silence after which the other host is lost
  static auto fields(auto& self) { return std::tie(self.addresses, self.port, self.timeout); }
  bool operator==(const KeepalivePlan&) const = default;
};

}  // namespace cow::launch
