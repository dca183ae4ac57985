// Remote reads and writes under way. Each is handed to the provider in pieces, a few at a time, so that a large one
// neither overruns the provider nor holds up the messages of others; its completion is told once, from poll().
#pragma once

#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "transport/ofi/fabric.hpp"
#include "transport/ofi/operation_context.hpp"
#include "transport/port.hpp"

namespace cow::transport::ofi {

struct Transfer;

struct Piece : OperationContext {
  Piece() : OperationContext(Kind::piece) {}
  Transfer* transfer = nullptr;
  bool flying = false;
};

struct Transfer {
  static constexpr int max_flying = 4;

  // As asked for; what of it was already handed over is cut off in front.
  bool write = false;
  std::uint32_t slot = 0;
  fid_ep* ep = nullptr;
  fi_addr_t peer = 0;
  char* local = nullptr;
  void* descriptor = nullptr;
  std::uint64_t remote = 0;
  std::uint64_t key = 0;
  std::size_t left = 0;
  Completion* completion = nullptr;  // null once told

  int code = 0;              // the first failure, as libfabric's negative number
  Nanoseconds patience = 0;  // forgotten: told at this time even if pieces are still the provider's
  int flying = 0;
  bool waiting = false;    // in waiting_
  bool finishing = false;  // in finished_
  bool in_use = false;
  Piece pieces[max_flying];
};

class Transfers {
 public:
  static constexpr std::size_t bound = 64;  // at once; more answer `again`

  Error open(Fabric& fabric, std::size_t piece_size);

  // Takes what is described, or answers `again`.
  Post start(const Transfer& wanted);
  // As start(), for what cannot even be tried: told with this failure from the next advance().
  Post start_failed(Completion& completion, int code);

  // A completion of libfabric for one piece; code 0 or negative.
  void ended(Piece& piece, int code);

  // Posts what the provider refused earlier and tells what ended outside of poll(). Returns how many were told.
  bool has_work() const { return !waiting_.empty() || !finished_.empty(); }
  std::size_t advance();

  // Ends all transfers with a destination: no more pieces are posted, and the completions are told from advance(), when
  // the provider has given back those under way, or after a second (a dead peer's may never come back; one that still
  // lives could write into the memory of a read that was told to have failed). True when pieces are under way.
  bool forget(std::uint32_t slot);

 private:
  Transfer* acquire();
  bool post_pieces(Transfer& transfer);
  int post_piece(Transfer& transfer, Piece& piece, std::size_t size);
  void finish_later(Transfer& transfer);
  void settle(Transfer& transfer);
  void tell(Transfer& transfer);

  const Fabric* fabric_ = nullptr;
  std::size_t piece_size_ = 0;
  std::size_t active_ = 0;  // taken and not yet told
  std::vector<std::unique_ptr<Transfer>> all_;
  std::vector<Transfer*> free_;
  std::vector<Transfer*> waiting_;   // have pieces that could not be posted
  std::vector<Transfer*> finished_;  // to be told from advance()
};

}  // namespace cow::transport::ofi
