#include "coll/core/model.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace cow::coll {

std::string parse_model(std::string_view text, Model& out) {
  struct Field {
    std::string_view name;
    double* value;
  };
  Model read = out;
  const Field fields[] = {{"alpha", &read.alpha},
                          {"beta", &read.beta},
                          {"node_alpha", &read.node_alpha},
                          {"node_beta", &read.node_beta},
                          {"node_line", &read.node_line},
                          {"gamma", &read.gamma},
                          {"copy", &read.copy},
                          {"hop", &read.hop},
                          {"node_large", &read.node_large},
                          {"keep", &read.keep},
                          {"fresh", &read.fresh},
                          {"snapshot", &read.snapshot},
                          {"resident", &read.resident},
                          {"kept", &read.kept},
                          {"processors", &read.processors},
                          {"switching", &read.switching}};
  while (!text.empty()) {
    const std::string item(text.substr(0, text.find(',')));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    if (item == "store-and-forward" || item == "wormhole") {
      read.store_and_forward = item != "wormhole";
      continue;
    }
    const size_t equals = item.find('=');
    const auto* field = std::find_if(std::begin(fields), std::end(fields), [&](const Field& f) {
      return f.name == std::string_view(item).substr(0, equals);
    });
    if (equals == std::string::npos || field == std::end(fields))
      return "\"" + item +
             "\": expected alpha=, beta=, node_alpha=, node_beta=, node_line=, gamma=, copy=, hop=, node_large=, "
             "keep=, fresh=, snapshot=, resident=, kept=, processors= or switching= and a number, wormhole or "
             "store-and-forward";
    char* end = nullptr;
    const double value = std::strtod(item.c_str() + equals + 1, &end);
    if (end == item.c_str() + equals + 1 || *end || !(value >= 0))
      return "\"" + item + "\": expected a number, 0 or more";
    *field->value = value;
  }
  out = read;
  return {};
}

double message_time(const Model& model, int hops, double bytes_on_busiest_link) {
  if (hops == 0) return model.node_alpha + model.node_beta * bytes_on_busiest_link;
  const double on_links = model.beta * bytes_on_busiest_link * (model.store_and_forward ? hops : 1);
  return model.alpha + model.hop * hops + on_links;
}

template <class Partner>
Traffic Patterns::route(Partner partner) {
  std::vector<int> loads(static_cast<size_t>(wires_.links()));
  Traffic out;
  for (int from = 0; from < wires_.size(); ++from) {
    partner(from, [&](int to) {
      if (to == from || to >= wires_.size()) return;
      int hops = 0;
      wires_.route(from, to, [&](int link) {
        ++hops;
        out.load = std::max(out.load, ++loads[static_cast<size_t>(link)]);
      });
      out.hops = std::max(out.hops, hops);
      out.load = std::max(out.load, 1);  // inside of a node: one message each
    });
  }
  return out;
}

Traffic Patterns::shift(int distance) {
  const auto [place, fresh] = known_.try_emplace(std::int64_t{modulo(distance, wires_.size())} * 4);
  if (fresh)
    place->second = route([&](int from, auto to) { to((from + modulo(distance, wires_.size())) % wires_.size()); });
  return place->second;
}

Traffic Patterns::tree(int distance) {
  const auto [place, fresh] = known_.try_emplace(std::int64_t{distance} * 4 + 2);
  if (fresh) {
    place->second = route([&](int from, auto to) {
      if (from % (2 * distance) == 0) to(from + distance);
    });
  }
  return place->second;
}

Traffic Patterns::exchange(int mask) {
  const auto [place, fresh] = known_.try_emplace(std::int64_t{mask} * 4 + 1);
  if (fresh) place->second = route([&](int from, auto to) { to(from ^ mask); });
  return place->second;
}

Traffic Patterns::all() {
  const auto [place, fresh] = known_.try_emplace(2);
  if (fresh) {
    place->second = route([&](int from, auto to) {
      for (int r = 0; r < wires_.size(); ++r) to(r);
      (void)from;
    });
  }
  return place->second;
}

Traffic Patterns::of(std::int64_t name, const std::function<void(int rank, std::vector<int>& out)>& to) {
  const auto [place, fresh] = known_.try_emplace(name * 4 + 3);
  if (!fresh) return place->second;
  std::vector<int> partners;
  place->second = route([&](int from, auto visit) {
    partners.clear();
    to(from, partners);
    for (int partner : partners) visit(partner);
  });
  return place->second;
}

void Cost::messages(Traffic traffic, double bytes, int times, bool both_ways, int busy) {
  if (both_ways && traffic.hops == 0) bytes *= 2;
  busy_ = busy;
  time_ += times * (message_time(model_, traffic.hops, bytes * traffic.load) * turns(busy) + switches());
  steps_ += times;
}

void Cost::round(int awaited) {
  busy_ = ranks_;
  time_ += model_.node_line * (1 + std::max(awaited - 1, 0) / 8.0) * turns(ranks_) + switches();
  ++steps_;
}

// What is published is copied in by all at once. Then all copy it out at once, or one rank takes what the others published; where that
// is much to combine, each does a part of it.
void Cost::on_memory(Collective collective, int ranks, double bytes) {
  if (ranks < 2) return;
  constexpr double many_bytes = 32768;
  const int others = ranks - 1;
  time_ += model_.node_line + model_.copy * bytes;
  ++steps_;
  if (collective == Collective::bcast || collective == Collective::scatter) {
    time_ += model_.copy * bytes * (collective == Collective::scatter ? others : 1);
  } else {
    time_ += model_.node_line / 8 * others;  // lines that are on their way at once
    const bool divided = collective == Collective::reduce && ranks > 3 && bytes > many_bytes;
    const double each = reduces(collective) ? model_.gamma : model_.copy;
    time_ += divided ? bytes * (each * others / ranks + model_.copy) : each * bytes * others;
  }
}

// A process starts its messages one after the other: half of alpha is its own work for each.
double Cost::start() const { return (patterns_ || flat_.hops > 0 ? model_.alpha : model_.node_alpha) / 2; }

void Cost::fan(int count, double bytes) {
  if (count <= 0) return;
  time_ += message_time(model_, patterns_ ? 1 : flat_.hops, bytes * count) + (count - 1) * start() + switches();
  ++steps_;
}

void Cost::all(double bytes, int ranks) {
  const int load = patterns_ ? patterns_->all().load : ranks - 1;
  time_ += message_time(model_, patterns_ ? patterns_->all().hops : flat_.hops, bytes * load) * turns(ranks_) +
           (ranks - 2) * start() + switches();
  steps_ += 1;
}

}  // namespace cow::coll
