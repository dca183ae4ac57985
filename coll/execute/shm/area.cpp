#include "coll/execute/shm/area.hpp"

#include <algorithm>

#include "coll/algorithms/bcast/binomial.hpp"
#include "coll/algorithms/parts/subgroup.hpp"
#include "coll/execute/comm_coll.hpp"
#include "coll/execute/execute.hpp"
#include "coll/execute/run.hpp"
#include "coll/prepare/prepare.hpp"
#include "coll/shm/limits.hpp"
#include "objects/group.hpp"
#include "runtime/progress.hpp"
#include "runtime/waiting.hpp"
#include "transport/local_peers.hpp"

namespace cow::coll::shm {

using transport::shm::SharedFile;

namespace {

constexpr std::size_t most_memory = std::size_t{256} << 20;  // of all areas of this process, mapped
std::size_t memory_in_use = 0;

Error share_offer(Comm& comm, const std::vector<int>& ranks, int place, transport::shm::Offer& offer) {
  const Unit unit = byte_unit();
  coll::Run run(comm, next_tag(comm), unit, nullptr, nullptr);
  Subgroup node(run, ranks, place);
  Args args;
  args.recv = reinterpret_cast<Address>(&offer);
  args.count = sizeof offer;
  BcastBinomial::run(node, args);
  return run.result();
}

Error all_can(Comm& comm, bool mine, bool& out) {
  int own = mine, all = 0;
  Operation operation;
  if (Error error = prepare_sum(operation, Collective::allreduce, comm, {&own, 1, find(MPI_INT)}, &all, find(MPI_MIN)))
    return error;
  if (Error error = run_by_messages(operation)) return error;
  out = all != 0;
  return success;
}

}  // namespace

Area::Area(Comm& comm, const Nodes& nodes, std::unique_ptr<SharedFile> file, bool fixed_order, double processors)
    : comm_(comm), ranks_(nodes.ranks(nodes.node(comm.rank))), file_(std::move(file)),
      slots_(file_ ? file_->memory() + SharedFile::reserved : nullptr, nodes.place(comm.rank),
             static_cast<int>(ranks_.size())),
      fixed_order_(fixed_order), crowded_(slots_.size() > runtime::allowed_processors()), processors_(processors),
      large_rings_(nodes.largest() <= most_ranks_with_large_rings ? Made::unknown : Made::no),
      in_use_(file_ ? Slots::bytes_for(slots_.size()) : 0) {
  static_assert(awake == static_cast<std::uint32_t>(transport::shm::Sleep::awake));
  memory_in_use += in_use_;
}

Area::~Area() { memory_in_use -= in_use_; }

// Whether all others are reached through shared memory.
bool Area::link_up() {
  for (int r = 0; r < slots_.size(); ++r) {
    const int index = transport::local_peer_index(comm_.group->process(rank_of(r)));
    if (index < 0) return false;
    others_.push_back(r == slots_.rank() ? nullptr
                                         : &transport::shared_memory->link(static_cast<std::uint32_t>(index)));
    if (r != slots_.rank()) asleep_.push_back(others_.back()->asleep);
  }
  return true;
}

bool Area::reserve(Slots::Range part) {
  return !file_ || !file_->reserve(SharedFile::reserved + part.from, SharedFile::reserved + part.to);
}

Area::Making::Making(Comm& comm, const Nodes& nodes, bool fixed_order, double processors, bool large)
    : comm_(comm), nodes_(nodes), fixed_order_(fixed_order),
      large_(large && nodes.largest() <= most_ranks_with_large_rings), processors_(processors),
      place_(nodes.place(comm.rank)), size_(static_cast<int>(nodes.ranks(nodes.node(comm.rank)).size())),
      bytes_(SharedFile::reserved +
             (large_ ? Slots::bytes_with_large_rings(size_) : Slots::bytes_for(size_) + Slots::large_bytes)) {
  if (!alone()) file_ = std::make_unique<SharedFile>();
  if (is_maker()) failed_ = static_cast<bool>(file_->make(bytes_, offer));
}

bool Area::Making::open() {
  if (!is_maker() && !alone()) failed_ = static_cast<bool>(file_->open(bytes_, offer));
  if (failed_ || (!alone() && memory_in_use + Slots::bytes_for(size_) > most_memory)) return false;
  area_.reset(new Area(comm_, nodes_, std::move(file_), fixed_order_, processors_));
  if (!large_) area_->large_rings_ = Made::no;
  if (alone()) return true;
  if (!area_->link_up() || !area_->reserve(area_->slots_.small_part())) return false;
  if (!large_ && !area_->reserve(area_->slots_.buffer_part())) return false;
  return !is_maker() || area_->reserve(area_->slots_.all_slots());
}

std::unique_ptr<Area> Area::Making::finish(bool all_can) {
  if (!all_can) return nullptr;
  if (!alone()) area_->file_->close_file();  // by now the others have opened it
  runtime::begin_in_turn();
  return std::move(area_);
}

Error Area::make(Comm& comm, const Nodes& nodes, bool fixed_order, double processors, std::unique_ptr<Area>& out) {
  Making making(comm, nodes, fixed_order, processors, true);
  if (Error failed = share_offer(comm, nodes.ranks(nodes.node(comm.rank)), nodes.place(comm.rank), making.offer))
    return failed;
  bool all = false;
  if (Error failed = all_can(comm, making.open(), all)) return failed;
  out = making.finish(all);
  return success;
}

// Makes a part of this rank's memory exist, where all ranks can; `all` bytes more are then in use.
Error Area::make(Made& made, Slots::Range part, std::size_t all) {
  if (made != Made::unknown) return success;
  if (!file_) all = 0;
  const bool mine = memory_in_use + all <= most_memory && reserve(part);
  bool everybody = false;
  if (Error failed = all_can(comm_, mine, everybody)) return failed;
  made = everybody ? Made::yes : Made::no;
  if (everybody) memory_in_use += all, in_use_ += all;
  return success;
}

Error Area::make_rings(Memory& memory) {
  if (memory == Memory::large_rings) {
    if (Error error = make(large_rings_, slots_.large_ring_part(), Slots::bytes_of_large_rings(slots_.size())))
      return error;
    if (large_rings_ == Made::yes) slots_.use_large_ring();
    if (large_rings_ == Made::yes) return success;
    memory = Memory::buffers;
  }
  if (Error error = make(buffers_, slots_.buffer_part(), 0)) return error;
  if (buffers_ != Made::yes) memory = Memory::slots;
  return success;
}

Error Area::make_requested() {
  if (large_rings_ != Made::unknown || !slots_.large_ring_is_due()) return success;
  Memory memory = Memory::large_rings;
  return make_rings(memory);
}

Address Area::scratch(Count bytes) {
  constexpr std::size_t line = 64;
  scratch_.resize(std::max(scratch_.size(), static_cast<std::size_t>(bytes) + line));
  return (reinterpret_cast<Address>(scratch_.data()) + line - 1) / line * line;
}

}  // namespace cow::coll::shm
