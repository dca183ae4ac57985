#include "transport/ofi/transfers.hpp"

#include <algorithm>
#include <new>

namespace cow::transport::ofi {

Error Transfers::open(Fabric& fabric, std::size_t piece_size) {
  fabric_ = &fabric;
  piece_size_ = std::min(piece_size, fabric.info->ep_attr->max_msg_size);
  return success;
}

Transfer* Transfers::acquire() {
  if (active_ >= bound) return nullptr;
  if (free_.empty()) {
    std::unique_ptr<Transfer> made(new (std::nothrow) Transfer);
    if (!made) return nullptr;
    free_.push_back(made.get());
    all_.push_back(std::move(made));
    free_.reserve(all_.size());
    waiting_.reserve(all_.size());
    finished_.reserve(all_.size());
  }
  Transfer* transfer = free_.back();
  free_.pop_back();
  transfer->in_use = true;
  transfer->waiting = false;
  transfer->code = 0;
  transfer->flying = 0;
  transfer->patience = 0;
  ++active_;
  return transfer;
}

Post Transfers::start(const Transfer& wanted) {
  Transfer* transfer = acquire();
  if (!transfer) return Post::again;
  transfer->write = wanted.write;
  transfer->slot = wanted.slot;
  transfer->ep = wanted.ep;
  transfer->peer = wanted.peer;
  transfer->local = wanted.local;
  transfer->descriptor = wanted.descriptor;
  transfer->remote = wanted.remote;
  transfer->key = wanted.key;
  transfer->left = wanted.left;
  transfer->completion = wanted.completion;
  const bool all_posted = post_pieces(*transfer);
  if (transfer->flying > 0) return Post::posted;
  if (!all_posted) {  // the very first piece was refused: nothing was taken
    transfer->in_use = false;
    --active_;
    free_.push_back(transfer);
    return Post::again;
  }
  finish_later(*transfer);  // nothing to move, or refused for good
  return Post::posted;
}

Post Transfers::start_failed(Completion& completion, int code) {
  Transfer* transfer = acquire();
  if (!transfer) return Post::again;
  transfer->completion = &completion;
  transfer->left = 0;
  transfer->code = code;
  finish_later(*transfer);
  return Post::posted;
}

// Posts as many pieces as may fly. False when the provider refused one for now.
bool Transfers::post_pieces(Transfer& transfer) {
  for (Piece& piece : transfer.pieces) {
    if (transfer.left == 0 || transfer.code != 0) break;
    if (piece.flying) continue;
    const std::size_t size = std::min(transfer.left, piece_size_);
    const int code = post_piece(transfer, piece, size);
    if (code == -FI_EAGAIN) return false;
    if (code != 0) {
      transfer.code = code;
      break;
    }
    piece.flying = true;
    ++transfer.flying;
    transfer.local += size;
    transfer.remote += size;
    transfer.left -= size;
  }
  return true;
}

int Transfers::post_piece(Transfer& transfer, Piece& piece, std::size_t size) {
  piece.transfer = &transfer;
  piece.slot = transfer.slot;
  iovec local = {transfer.local, size};
  fi_rma_iov remote = {transfer.remote, size, transfer.key};
  fi_msg_rma message = {};
  message.msg_iov = &local;
  message.desc = &transfer.descriptor;
  message.iov_count = 1;
  message.addr = transfer.peer;
  message.rma_iov = &remote;
  message.rma_iov_count = 1;
  message.context = &piece;
  // Without FI_DELIVERY_COMPLETE a write is complete when it has left this host. With it, when the bytes are in the
  // target's memory, so that any message sent afterwards arrives after the data.
  return static_cast<int>(transfer.write ? fi_writemsg(transfer.ep, &message, FI_COMPLETION | FI_DELIVERY_COMPLETE)
                                         : fi_readmsg(transfer.ep, &message, FI_COMPLETION));
}

void Transfers::ended(Piece& piece, int code) {
  Transfer& transfer = *piece.transfer;
  piece.flying = false;
  --transfer.flying;
  if (code != 0 && transfer.code == 0) transfer.code = code;
  if (!transfer.waiting && !post_pieces(transfer)) {
    transfer.waiting = true;
    waiting_.push_back(&transfer);
  }
  settle(transfer);
}

void Transfers::finish_later(Transfer& transfer) {
  transfer.finishing = true;
  finished_.push_back(&transfer);
}

// Tells and frees a transfer of which nothing is left to wait for.
void Transfers::settle(Transfer& transfer) {
  if (transfer.flying > 0 || transfer.waiting || transfer.finishing) return;
  if (transfer.completion) tell(transfer);
  transfer.in_use = false;
  free_.push_back(&transfer);
}

void Transfers::tell(Transfer& transfer) {
  Completion& completion = *transfer.completion;
  transfer.completion = nullptr;
  --active_;
  if (transfer.code == 0) return completion.done(completion, success);
  completion.done(completion, fail(ErrorClass::other, "a transfer of a large message failed: %s",
                                   fabric_->library.strerror(-transfer.code)));
}

std::size_t Transfers::advance() {
  std::size_t told = 0;
  for (std::size_t i = finished_.size(); i > 0; --i) {
    Transfer& transfer = *finished_[i - 1];
    if (transfer.flying > 0 && now() < transfer.patience) continue;
    finished_[i - 1] = finished_.back();
    finished_.pop_back();
    transfer.finishing = false;
    if (transfer.completion) {
      tell(transfer);
      ++told;
    }
    settle(transfer);
  }
  for (std::size_t i = waiting_.size(); i > 0; --i) {
    Transfer& transfer = *waiting_[i - 1];
    if (!post_pieces(transfer)) continue;
    transfer.waiting = false;
    waiting_[i - 1] = waiting_.back();
    waiting_.pop_back();
    if (transfer.flying == 0) {
      told += transfer.completion != nullptr;
      settle(transfer);
    }
  }
  return told;
}

bool Transfers::forget(std::uint32_t slot) {
  bool moving = false;
  for (auto& each : all_) {
    Transfer& transfer = *each;
    if (!transfer.in_use || transfer.slot != slot) continue;
    moving |= transfer.flying > 0;
    if (!transfer.completion) continue;
    if (transfer.code == 0) transfer.code = -FI_ECANCELED;
    transfer.patience = now() + second;
    if (!transfer.finishing) finish_later(transfer);
  }
  return moving;
}

}  // namespace cow::transport::ofi
