#include "coll/execute/run.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "coll/algorithms/all.hpp"
#include "coll/execute/shm/run.hpp"

namespace cow::coll {
namespace {

// Some large blocks are kept between calls: fresh ones are pages that the kernel has to clear, which takes longer than a
// reduction of them. Guarded by the progress lock; a thread that waits inside a collective has taken its blocks out.
struct Kept {
  void* block = nullptr;
  std::size_t bytes = 0;
};
std::array<Kept, 4> kept;
constexpr std::size_t most_kept = std::size_t{4} << 20;  // of one

struct BlockHead {
  std::size_t bytes;
  char padding[56];
};
static_assert(sizeof(BlockHead) == 64);

void* take_block(std::size_t bytes) {
  Kept* fitting = nullptr;  // the smallest that does
  for (Kept& each : kept)
    if (each.bytes >= bytes && (!fitting || each.bytes < fitting->bytes)) fitting = &each;
  if (fitting) return std::exchange(*fitting, {}).block;
  // Room for a little more than asked, so that a series of growing collectives does not allocate each time.
  const std::size_t room = bytes < most_kept / 2 ? std::max<std::size_t>(2 * bytes, 65536) : bytes;
  void* const block = std::aligned_alloc(64, (room + sizeof(BlockHead) + 63) / 64 * 64);
  if (block) static_cast<BlockHead*>(block)->bytes = room;
  return block;
}

void give_block(void* block) {
  const std::size_t bytes = static_cast<BlockHead*>(block)->bytes;
  Kept& smallest = *std::min_element(kept.begin(), kept.end(), [](auto& a, auto& b) { return a.bytes < b.bytes; });
  if (bytes > smallest.bytes && bytes <= most_kept) {
    std::free(smallest.block);
    smallest = {block, bytes};
  } else {
    std::free(block);
  }
}

}  // namespace

Scratch::~Scratch() {
  for (void* block : blocks_) give_block(block);
}

Address Scratch::room(Count bytes) {
  const auto wanted = (static_cast<std::size_t>(bytes) + 15) / 16 * 16;
  if (used_ + wanted <= inline_bytes) {
    used_ += wanted;
    return reinterpret_cast<Address>(inline_ + used_ - wanted);
  }
  void* const block = take_block(wanted);
  if (!block) return 0;
  blocks_.push_back(block);
  return reinterpret_cast<Address>(block) + sizeof(BlockHead);
}

void transfer_data(Address to, Count to_n, const Datatype& to_type, Address from, Count from_n,
                   const Datatype& from_type) {
  const Count bytes = std::min(to_n * to_type.size, from_n * from_type.size);
  if (bytes == 0) return;  // there may be no memory
  if (same_data(to, to_n, &to_type, from, from_n, &from_type)) return;
  void* const target = reinterpret_cast<void*>(to);
  const void* const source = reinterpret_cast<const void*>(from);
  if (to_type.contiguous && from_type.contiguous) {
    std::memmove(data_of(target, to_type), data_of(source, from_type), static_cast<std::size_t>(bytes));
  } else if (to_type.contiguous) {
    pack(from_type, source, from_n, 0, data_of(target, to_type), bytes);
  } else if (from_type.contiguous) {
    unpack(to_type, target, to_n, 0, data_of(source, from_type), bytes);
  } else {
    char piece[4096];
    for (Count at = 0; at < bytes;) {
      const Count n = pack(from_type, source, from_n, at, piece, std::min<Count>(sizeof piece, bytes - at));
      unpack(to_type, target, to_n, at, piece, n);
      at += n;
    }
  }
}

Address Run::scratch(Count n) {
  if (n <= 0) return 0;
  const Address room = scratch_.room(unit_.span(n));
  if (room == 0) {
    stopped_ = true;
    note(fail(ErrorClass::no_mem, "no memory for %lld bytes of scratch", static_cast<long long>(unit_.span(n))));
  }
  return room - static_cast<Address>(unit_.first(n));
}

bool Run::part_on_memory(Collective part, const Args& args) {
  if (!parts_->are_possible()) return false;
  if (stopped_) {
    parts_->abandon();
    return true;
  }
  note(parts_->run(part, args));
  stopped_ = parts_->have_lost();  // nobody elsewhere shall take what is not whole for the result
  return true;
}

void Run::begin_send(int to, Address buffer, Count n, Datatype* type) {
  Request* request = nullptr;
  if (stopped_) return;
  note(pt2pt::isend(send_args(to, buffer, n, type), request));
  keep(request);
}

void Run::begin_recv(int from, Address buffer, Count n, Datatype* type) {
  Request* request = nullptr;
  if (stopped_) return;
  note(pt2pt::irecv(recv_args(from, buffer, n, type), request));
  keep(request);
}

void Run::keep(Request* request) {
  if (!request) return;
  if (posted_ < few)
    few_[posted_] = request;
  else
    more_.push_back(request);
  ++posted_;
}

void Run::wait_posted() {
  while (waited_ < posted_) {
    Request& next = posted(waited_++);
    note(pt2pt::wait(next));
  }
  more_.clear();
  posted_ = waited_ = 0;
}

// The collective ends before its time: a function of the program has thrown, or the thread is cancelled. What is on its way
// from or to this call's memory is taken back.
void Run::give_up_posted() {
  while (waited_ < posted_) pt2pt::give_up(posted(waited_++));
}

namespace {

using RunText = void (*)(Run&, const Args&);

template <class... As>
constexpr auto texts_of(AlgorithmList<As...>) {
  return std::array<RunText, sizeof...(As)>{&As::template run<Run>...};
}

constexpr auto texts = texts_of(AllAlgorithms{});

}  // namespace

void run_algorithm(std::size_t algorithm, Run& run, const Args& args) { texts[algorithm](run, args); }

}  // namespace cow::coll
