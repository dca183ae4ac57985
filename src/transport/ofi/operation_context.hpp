// What libfabric hands back with a completion. The provider owns `context` from the post until then.
#pragma once

#include <rdma/fabric.h>

#include <cstdint>

namespace cow::transport::ofi {

struct OperationContext {
  enum class Kind : std::uint8_t { receive, send, piece };

  fi_context2 context = {};
  Kind kind;
  bool abandoned = false;  // its destination was forgotten: nobody is to be told any more
  std::uint32_t slot = 0;  // the destination's slot (send, piece)

  explicit OperationContext(Kind kind) : kind(kind) {}
};

// From what libfabric hands back.
inline OperationContext* context_of(void* context) { return static_cast<OperationContext*>(context); }
static_assert(__builtin_offsetof(OperationContext, context) == 0);

}  // namespace cow::transport::ofi
