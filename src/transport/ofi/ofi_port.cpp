// Sending, receiving and remote memory: what runs once a port is open. Opening is in open.cpp.
#include "transport/ofi/ofi_port.hpp"

#include <cstring>

namespace cow::transport::ofi {

OfiPort::OfiPort(const Library& library, const Provider& provider, Receiver& receiver)
    : provider_(provider), receiver_(receiver), fabric_(library) {}

OfiPort::~OfiPort() { fabric_.eps.clear(); }  // before the buffers that they may be writing to

Error OfiPort::candidates(std::string_view published, bool same_node, std::vector<Candidate>& out) const {
  return parse(published, {provider_.name, family_, &interfaces_}, same_node, out);
}

Error OfiPort::reach(const Candidate& candidate, Destination& out) {
  // The provider reads as many bytes as its kind of address has.
  if (provider_.ip && candidate.address.size() != address_size(family_))
    return fail(ErrorClass::intern, "%s is not an address of this port", candidate.text.c_str());
  Slot slot;
  if (fi_av_insert(fabric_.addresses.get(), candidate.address.c_str(), 1, &slot.address, 0, nullptr) != 1)
    return fail(ErrorClass::other, "the provider %s does not take the address %s", provider_.name,
                candidate.text.c_str());
  slot.ep = route(candidate);
  slot.live = true;
  std::size_t index = slots_.size();
  if (free_slots_.empty()) {
    slots_.push_back(slot);
    free_slots_.reserve(slots_.size());
    injected_.reserve(slots_.size());
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
    slots_[index] = slot;
  }
  out = index;
  return success;
}

void OfiPort::forget(Destination to) {
  const auto index = static_cast<std::uint32_t>(to);
  Slot& slot = slots_[index];
  if (!slot.live) return;
  slot.live = false;
  sends_flying_ -= slot.sends;
  // The address stays in the provider's table while something of its own is under way: shm crashes otherwise.
  const bool moving = transfers_.forget(index);
  if (slot.sends == 0 && !moving) fi_av_remove(fabric_.addresses.get(), &slot.address, 1, 0);
  if (slot.sends > 0) sends_.abandon(index);
  if (slot.injected) std::erase(injected_, index);
  free_slots_.push_back(index);
}

void OfiPort::write_body(const Body& body, char* out) const {
  if (body.produce) {
    body.produce(body.state, out);
  } else if (body.size > 0) {
    memcpy(out, body.bytes, body.size);
  }
}

Post OfiPort::send(Destination to, const void* head, std::size_t head_size, const Body& body) {
  const auto index = static_cast<std::uint32_t>(to);
  Slot& slot = slots_[index];
  if (head_size + body.size <= inject_size_) return send_injected(slot, index, head, head_size, body);
  return send_copied(slot, index, head, head_size, body);
}

Post OfiPort::send_injected(Slot& slot, std::uint32_t index, const void* head, std::size_t head_size,
                            const Body& body) {
  char bytes[max_inject];
  const void* whole = head;
  if (body.size > 0) {
    memcpy(bytes, head, head_size);
    write_body(body, bytes + head_size);
    whole = bytes;
  }
  const ssize_t code = fi_inject(slot.ep, whole, head_size + body.size, slot.address);
  if (code != 0) return refused(code);
  if (!slot.injected) {
    slot.injected = true;
    injected_.push_back(index);
  }
  return Post::done;
}

Post OfiPort::send_copied(Slot& slot, std::uint32_t index, const void* head, std::size_t head_size, const Body& body) {
  COW_INVARIANT(head_size + body.size <= max_message);
  SendBuffer* buffer = sends_.acquire();
  if (!buffer) return Post::again;
  memcpy(buffer->bytes, head, head_size);
  write_body(body, buffer->bytes + head_size);
  const ssize_t code = fi_send(slot.ep, buffer->bytes, head_size + body.size, buffer->descriptor, slot.address, buffer);
  if (code != 0) {
    sends_.release(*buffer);
    return refused(code);
  }
  buffer->slot = index;
  buffer->abandoned = false;
  ++slot.sends;
  ++sends_flying_;
  return Post::done;
}

Post OfiPort::refused(ssize_t code) {
  if (code == -FI_EAGAIN) return Post::again;
  (void)fail(ErrorClass::other, "the provider %s refuses a message: %s", provider_.name,
             fabric_.library.strerror(static_cast<int>(-code)));
  return Post::refused;
}

Post OfiPort::move(bool write, Destination peer, void* local, const Registration* local_memory,
                   std::uint64_t remote_address, const std::byte* key, std::size_t key_size, std::size_t size,
                   Completion& completion) {
  Transfer wanted;
  if (key_size > sizeof wanted.key) return transfers_.start_failed(completion, -FI_EKEYREJECTED);
  memcpy(&wanted.key, key, key_size);
  wanted.write = write;
  wanted.slot = static_cast<std::uint32_t>(peer);
  wanted.ep = slots_[wanted.slot].ep;
  wanted.peer = slots_[wanted.slot].address;
  wanted.local = static_cast<char*>(local);
  wanted.descriptor =
      local_memory && local_memory->handle ? fi_mr_desc(static_cast<fid_mr*>(local_memory->handle)) : nullptr;
  wanted.remote = remote_address;
  wanted.left = size;
  wanted.completion = &completion;
  return transfers_.start(wanted);
}

Post OfiPort::read(Destination from, void* local, const Registration* local_memory, std::uint64_t remote_address,
                   const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) {
  return move(false, from, local, local_memory, remote_address, key, key_size, size, completion);
}

Post OfiPort::write(Destination to, const void* local, const Registration* local_memory, std::uint64_t remote_address,
                    const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) {
  return move(true, to, const_cast<void*>(local), local_memory, remote_address, key, key_size, size, completion);
}

Error OfiPort::register_memory(const void* address, std::size_t size, Registration& out) {
  if (!limits_.read && !limits_.write)
    return fail(ErrorClass::intern, "the provider %s has no remote memory access", provider_.name);
  constexpr std::uint64_t access = FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE;
  fid_mr* memory = nullptr;
  for (int attempt = 0;; ++attempt) {
    const int code = register_range(fabric_, address, size, access, next_key(fabric_), memory);
    if (code == 0) break;
    if (code == -FI_ENOKEY && attempt < 8) continue;  // another registration has this key by chance
    return fail(ErrorClass::other, "the provider %s cannot register %zu bytes: %s", provider_.name, size,
                fabric_.library.strerror(-code));
  }
  const std::uint64_t key = fi_mr_key(memory);
  out.address = fabric_.has_mode(FI_MR_VIRT_ADDR) ? reinterpret_cast<std::uint64_t>(address) : 0;
  out.key_size = sizeof key;
  memcpy(out.key, &key, sizeof key);
  out.handle = memory;
  return success;
}

void OfiPort::release_memory(Registration& registration) {
  if (registration.handle) fi_close(&static_cast<fid_mr*>(registration.handle)->fid);
  registration.handle = nullptr;
}

std::size_t OfiPort::poll() {
  std::size_t events = 0;
  if (receives_.has_waiting()) receives_.retry();
  if (asked_drained_) confirm_injected();
  fi_cq_msg_entry entries[batch];
  const ssize_t count = fi_cq_read(fabric_.queue.get(), entries, batch);
  if (count > 0) {
    for (ssize_t i = 0; i < count; ++i) completed(*context_of(entries[i].op_context), entries[i].len);
    events = static_cast<std::size_t>(count);
  } else if (count == -FI_EAVAIL) {
    events = read_errors();
  }
  if (transfers_.has_work()) events += transfers_.advance();
  return events;
}

void OfiPort::completed(OperationContext& operation, std::size_t size) {
  if (operation.kind == OperationContext::Kind::receive) {
    auto& buffer = static_cast<ReceiveBuffer&>(operation);
    if (size > 0) receiver_.arrived(reinterpret_cast<const std::byte*>(buffer.bytes), size);  // 0: confirm_injected()
    receives_.post(buffer);
  } else if (operation.kind == OperationContext::Kind::send) {
    sent(static_cast<SendBuffer&>(operation), 0);
  } else {
    transfers_.ended(static_cast<Piece&>(operation), 0);
  }
}

void OfiPort::failed(OperationContext* operation, int code) {
  if (!operation) {  // an injected message
    receiver_.lost(Receiver::unknown, fabric_.library.strerror(code));
  } else if (operation->kind == OperationContext::Kind::receive) {
    receives_.post(static_cast<ReceiveBuffer&>(*operation));
  } else if (operation->kind == OperationContext::Kind::send) {
    sent(static_cast<SendBuffer&>(*operation), code);
  } else {
    transfers_.ended(static_cast<Piece&>(*operation), -code);
  }
}

void OfiPort::sent(SendBuffer& buffer, int code) {
  const std::uint32_t slot = buffer.slot;
  const bool lost = code != 0 && !buffer.abandoned;
  if (!buffer.abandoned) {
    --slots_[slot].sends;
    --sends_flying_;
  }
  sends_.release(buffer);
  if (lost) receiver_.lost(slot, fabric_.library.strerror(code));
}

std::size_t OfiPort::read_errors() {
  std::size_t count = 0;
  fi_cq_err_entry entry = {};
  while (fi_cq_readerr(fabric_.queue.get(), &entry, 0) == 1) {
    if (entry.err != FI_ECANCELED || entry.op_context)
      failed(static_cast<OperationContext*>(entry.op_context), entry.err);
    entry = {};
    ++count;
  }
  return count;
}

bool OfiPort::may_sleep() {
  if (receives_.has_waiting() || transfers_.has_work() || asked_drained_) return false;
  fid* objects[] = {&fabric_.queue->fid};
  return fi_trywait(fabric_.fabric.get(), objects, 1) == 0;
}

// The provider never tells the end of an injected message; it may still stand in a queue behind a full socket. So
// when somebody asks, each destination concerned is sent an empty message (which its port drops) whose end is told.
bool OfiPort::drained() const {
  asked_drained_ = !injected_.empty();
  return sends_flying_ == 0 && injected_.empty();
}

void OfiPort::confirm_injected() {
  asked_drained_ = false;
  for (std::size_t i = injected_.size(); i > 0; --i) {
    const std::uint32_t index = injected_[i - 1];
    if (send_copied(slots_[index], index, "", 0, {}) == Post::again) continue;  // refused: it will tell nothing more
    slots_[index].injected = false;
    injected_[i - 1] = injected_.back();
    injected_.pop_back();
  }
}

}  // namespace cow::transport::ofi
