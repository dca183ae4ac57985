#include "coll/execute/comm_coll.hpp"

#include "base/settings.hpp"
#include "coll/select/find_layout.hpp"
#include "coll/select/machine_file.hpp"
#include "coll/shm/limits.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "runtime/job.hpp"

namespace cow::coll {
namespace {

const std::string* hint(const Comm& comm, std::string_view key) { return comm.info ? comm.info->get(key) : nullptr; }

Error refuse(const char* whose, const std::string& complaint) {
  return fail(ErrorClass::other, "%s: %s", whose, complaint.c_str());
}

// Who shares a node, where the launcher knows it of all ranks.
std::optional<Nodes> find_nodes(const Comm& comm) {
  const runtime::Job& job = runtime::job();
  static std::vector<std::int64_t> known;  // of the job's ranks; -1: not asked yet
  if (known.empty())
    known.assign(static_cast<std::size_t>(job.size), job.local_size == job.size ? std::int64_t{job.node} : -1);
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
  if (const std::string wrong = settings_model(model); !wrong.empty())
    return fail(ErrorClass::other, "%s", wrong.c_str());
  if (const std::string wrong = parse_forced(settings().coll, forced); !wrong.empty()) return refuse("COW_COLL", wrong);
  if (const std::string* text = hint(comm, "cow_coll"))
    if (const std::string wrong = parse_forced(*text, forced); !wrong.empty())
      return refuse("info key cow_coll", wrong);
  bool reproducible = settings().reproducible;
  if (const std::string* text = hint(comm, "cow_reproducible")) {
    if (*text != "true" && *text != "false") return refuse("info key cow_reproducible", "expected true or false");
    reproducible = *text == "true";
  }
  std::optional<Nodes> shared = find_nodes(comm);
  if (shared && shared->count() == 1) add_processors(model);
  auto* const coll = new CommColl(Selector(comm.size(), layout, std::move(shared), model, forced, reproducible));
  const Nodes* const nodes = coll->selector.nodes();
  if (settings().coll_memory != "no" && nodes) {
    const Memory on_one = shm::memory_for(nodes->largest());
    if (nodes->count() == 1 && !layout) coll->memory = on_one;
    if (nodes->two_levels() && on_one != Memory::none) coll->memory = Memory::parts;
  }
  if (settings().coll_memory == "always") coll->suitable = CommColl::suitable_before;
  comm.coll = coll;
  return success;
}

}  // namespace cow::coll
