// Buffers that messages too large to be injected are copied into, until the provider has sent them.
#pragma once

#include <memory>
#include <vector>

#include "transport/ofi/fabric.hpp"
#include "transport/ofi/memory.hpp"
#include "transport/ofi/operation_context.hpp"

namespace cow::transport::ofi {

struct SendBuffer : OperationContext {
  SendBuffer() : OperationContext(Kind::send) {}
  char* bytes = nullptr;
  void* descriptor = nullptr;
};

class SendPool {
 public:
  static constexpr std::size_t per_slab = 8;

  void open(const Fabric& fabric, std::size_t bound, std::size_t size);

  // A free buffer, or null when `bound` are in use (or memory is short). Grows a slab at a time; the last one released
  // is the first to be used again, being warm.
  SendBuffer* acquire() {
    if (free_.empty() && !grow()) return nullptr;
    SendBuffer* buffer = free_.back();
    free_.pop_back();
    return buffer;
  }
  void release(SendBuffer& buffer) { free_.push_back(&buffer); }

  // Marks what is on its way to a forgotten destination.
  void abandon(std::uint32_t slot);

 private:
  bool grow();

  const Fabric* fabric_ = nullptr;
  std::size_t bound_ = 0;
  std::size_t size_ = 0;
  std::vector<Slab> slabs_;
  std::vector<std::unique_ptr<SendBuffer[]>> buffers_;  // one array for each slab
  std::vector<SendBuffer*> free_;                       // has room for all
};

}  // namespace cow::transport::ofi
