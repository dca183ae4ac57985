#include "pt2pt/protocol.hpp"

#include <algorithm>
#include <cstdio>

#include "base/settings.hpp"

namespace cow::pt2pt {
namespace {

bool is_eager(const Shape& shape, const Route& route) {
  return !shape.offered && fits_eager(shape.size, route.eager_limit);
}

bool one_run(const Shape& shape, const Route& route) {
  return shape.sender_contiguous && shape.receiver_contiguous && shape.size >= route.limits().remote_threshold;
}

bool can_read(const Shape& shape, const Route& route) {
  return shape.readable && one_run(shape, route) && route.limits().read;
}

bool can_write(const Shape& shape, const Route& route) { return one_run(shape, route) && route.limits().write; }

bool always(const Shape&, const Route&) { return true; }

bool read_allowed = true;
bool write_allowed = true;

bool is_allowed(Protocol protocol) {
  if (protocol == Protocol::read) return read_allowed;
  return protocol != Protocol::write || write_allowed;
}

}  // namespace

const ProtocolInfo protocols[protocol_count] = {
    {Protocol::eager, "eager", "sent at once; kept at the receiver until a receive matches", is_eager, begin_eager,
     nullptr},
    {Protocol::read, "read", "offered; the receiver reads it from the sender's memory", can_read, begin_readable,
     take_by_read},
    {Protocol::write, "write", "offered; the sender writes it to the receiver's memory", can_write, begin_offer,
     take_by_write},
    {Protocol::pipeline, "pipeline", "offered; sent in pieces when the receiver asks", always, begin_offer,
     take_in_pieces},
};

const ProtocolInfo& choose_to_offer(const Shape& shape, const Route& route) {
  for (const ProtocolInfo& row : protocols)
    if (is_allowed(row.protocol) && row.applies(shape, route)) return row;
  return protocols[protocol_count - 1];
}

void decide_protocols() {
  const std::string& forced = settings().rendezvous;
  read_allowed = forced == "auto" || forced == "read";
  write_allowed = forced == "auto" || forced == "write";
}

std::size_t eager_limit_of_settings() {
  constexpr std::size_t largest = wire::max_body - sizeof(wire::Acknowledge);
  return std::min(static_cast<std::size_t>(settings().eager_limit), largest);
}

namespace {

struct Row {
  std::size_t from;
  const ProtocolInfo* contiguous;
  const ProtocolInfo* with_holes;
};

// One row for each range of sizes in which the choice is the same.
std::vector<Row> rows_of(const Route& route) {
  std::vector<std::size_t> bounds{0, route.eager_limit + 1, route.limits().remote_threshold};
  std::sort(bounds.begin(), bounds.end());
  std::vector<Row> rows;
  for (const std::size_t from : bounds) {
    const Row row{from, &choose({from, true, true}, route), &choose({from, false, false}, route)};
    if (rows.empty() || rows.back().contiguous != row.contiguous || rows.back().with_holes != row.with_holes)
      rows.push_back(row);
  }
  return rows;
}

}  // namespace

std::string describe_protocols(const Route& route) {
  char line[128];
  snprintf(line, sizeof line, "%12s %12s  %-12s %s\n", "from bytes", "to bytes", "contiguous", "with holes");
  std::string out = line;
  const std::vector<Row> rows = rows_of(route);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string last = i + 1 < rows.size() ? std::to_string(rows[i + 1].from - 1) : "any";
    snprintf(line, sizeof line, "%12zu %12s  %-12s %s\n", rows[i].from, last.c_str(), rows[i].contiguous->name,
             rows[i].with_holes->name);
    out += line;
  }
  return out;
}

std::string explain_protocols() {
  std::string out;
  for (const ProtocolInfo& row : protocols) out += std::string(row.name) + ": " + row.meaning + ".\n";
  return out;
}

}  // namespace cow::pt2pt
