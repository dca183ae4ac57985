#include "coll/comm_coll.hpp"

#include "base/settings.hpp"
#include "coll/machine_file.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "runtime/job.hpp"

namespace cow::coll {
namespace {

const std::string* hint(const Comm& comm, std::string_view key) { return comm.info ? comm.info->get(key) : nullptr; }

bool is_world_in_order(const Comm& comm) {
  for (int r = 0; r < comm.size(); ++r)
    if (comm.group->process(r) != static_cast<Process>(r)) return false;
  return true;
}

Error refuse(const char* whose, const std::string& complaint) {
  return fail(ErrorClass::other, "%s: %s", whose, complaint.c_str());
}

// The layout, if any. One given by a hint must fit; one for the world applies where it fits.
Error find_layout(const Comm& comm, std::optional<Layout>& out) {
  Layout layout;
  if (const std::string* text = hint(comm, "cow_layout")) {
    std::string complaint = Layout::parse(*text, layout);
    if (complaint.empty()) complaint = layout.fit(comm.size());
    if (!complaint.empty()) return refuse("info key cow_layout", complaint);
    out = layout;
  } else if (!settings().layout.empty() && !comm.inter()) {
    if (const std::string complaint = Layout::parse(settings().layout, layout); !complaint.empty())
      return refuse("COW_LAYOUT", complaint);
    if (layout.fit(comm.size()).empty() && is_world_in_order(comm)) out = layout;
  }
  return success;
}

// Who shares a node, where the launcher knows it of all ranks.
std::optional<Nodes> find_nodes(const Comm& comm) {
  const runtime::Job& job = runtime::job();
  static std::vector<std::int64_t> known;  // of the job's ranks; -1: not asked yet
  if (known.empty()) known.assign(static_cast<std::size_t>(job.size), job.local_size == job.size ? job.node : -1);
  std::vector<std::uint32_t> ids;
  for (int r = 0; r < comm.size(); ++r) {
    const Process process = comm.group->process(r);
    if (process >= known.size()) return {};  // of another job
    std::int64_t& node = known[process];
    if (node < 0) node = runtime::node_of(static_cast<int>(process));
    ids.push_back(static_cast<std::uint32_t>(node));
  }
  return Nodes(ids);
}

}  // namespace

Error make_comm_coll(Comm& comm) {
  Model model;
  Forced forced;
  std::optional<Layout> layout;
  if (Error error = find_layout(comm, layout)) return error;
  if (const std::string wrong = settings_model(model); !wrong.empty()) return fail(ErrorClass::other, "%s", wrong.c_str());
  if (const std::string wrong = parse_forced(settings().coll, forced); !wrong.empty()) return refuse("COW_COLL", wrong);
  if (const std::string* text = hint(comm, "cow_coll"))
    if (const std::string wrong = parse_forced(*text, forced); !wrong.empty())
      return refuse("info key cow_coll", wrong);
  bool reproducible = settings().reproducible;
  if (const std::string* text = hint(comm, "cow_reproducible")) {
    if (*text != "true" && *text != "false") return refuse("info key cow_reproducible", "expected true or false");
    reproducible = *text == "true";
  }
  comm.coll = new CommColl(Selector(comm.size(), layout, find_nodes(comm), model, forced, reproducible));
  return success;
}

}  // namespace cow::coll
