// The port over libfabric. Created by open_port() in ofi.hpp; seen by its own tests beyond that.
#pragma once

#include <vector>

#include "transport/ofi/addresses.hpp"
#include "transport/ofi/fabric.hpp"
#include "transport/ofi/provider.hpp"
#include "transport/ofi/receive_pool.hpp"
#include "transport/ofi/send_pool.hpp"
#include "transport/ofi/transfers.hpp"
#include "transport/port.hpp"

namespace cow::transport::ofi {

class OfiPort final : public Port {
 public:
  static constexpr std::size_t max_message = 16384;  // above 16 KiB tcp;ofi_rxm completes out of order

  OfiPort(const Library& library, const Provider& provider, Receiver& receiver);
  ~OfiPort() override;

  Error open(bool one_node);

  const char* name() const override { return provider_.name; }
  std::string published() const override { return published_; }
  Error candidates(std::string_view published, bool same_node, std::vector<Candidate>& out) const override;
  Error reach(const Candidate& candidate, Destination& out) override;
  void forget(Destination to) override;

  Post send(Destination to, const void* head, std::size_t head_size, const Body& body) override;
  Post read(Destination from, void* local, const Registration* local_memory, std::uint64_t remote_address,
            const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) override;
  Post write(Destination to, const void* local, const Registration* local_memory, std::uint64_t remote_address,
             const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion) override;

  bool needs_local_registration() const override { return fabric_.has_mode(FI_MR_LOCAL); }
  Error register_memory(const void* address, std::size_t size, Registration& out) override;
  void release_memory(Registration& registration) override;

  std::size_t poll() override;
  int wait_descriptor() const override { return fabric_.wait_fd; }
  bool may_sleep() override;
  bool drained() const override;

 private:
  static constexpr std::size_t batch = 16;        // completions taken at once
  static constexpr std::size_t max_inject = 512;  // room on the stack

  struct Slot {
    fid_ep* ep = nullptr;  // that reaches it
    fi_addr_t address = FI_ADDR_NOTAVAIL;
    std::uint32_t sends = 0;  // on their way
    bool live = false;
    bool injected = false;  // something was injected since the last message whose end was told; in injected_
  };

  Error choose_interfaces(bool one_node);
  Error open_endpoints();
  fid_ep* route(const Candidate& candidate) const;
  Error publish();
  void write_body(const Body& body, char* out) const;
  Post send_injected(Slot& slot, std::uint32_t index, const void* head, std::size_t head_size, const Body& body);
  Post send_copied(Slot& slot, std::uint32_t index, const void* head, std::size_t head_size, const Body& body);
  Post refused(ssize_t code);
  Post move(bool write, Destination peer, void* local, const Registration* local_memory, std::uint64_t remote_address,
            const std::byte* key, std::size_t key_size, std::size_t size, Completion& completion);
  template <class Entry>
  std::size_t poll_queue();
  void completed(OperationContext& operation, std::size_t size);
  void failed(OperationContext* operation, int code);
  void sent(SendBuffer& buffer, int code);
  std::size_t read_errors();
  void confirm_injected();

  const Provider& provider_;
  Receiver& receiver_;
  Fabric fabric_;
  std::size_t inject_size_ = 0;
  ReceivePool receives_;
  SendPool sends_;
  Transfers transfers_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> injected_;  // slots whose injected messages may still be queued in the provider
  mutable bool asked_drained_ = false;
  std::uint32_t sends_flying_ = 0;  // to live destinations

  std::vector<Interface> interfaces_;  // published; each has the endpoint of the same index
  int family_ = AF_UNSPEC;
  std::string published_;
};

}  // namespace cow::transport::ofi
