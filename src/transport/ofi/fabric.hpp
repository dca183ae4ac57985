// The libfabric objects of a port: fabric, domain, address table and completion queue, and on them a reliable-datagram
// endpoint for each address of this host that is published. One endpoint that listens on all addresses would be
// simpler, but bound to the address of zeros net and tcp;ofi_rxm lose messages when two endpoints connect to each other
// at the same time: each then takes the other's address for the greater one and drops its own connection.
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_rma.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "transport/ofi/library.hpp"
#include "transport/ofi/provider.hpp"

namespace cow::transport::ofi {

// An fi_info that frees itself.
class Info {
 public:
  explicit Info(const Library& library, fi_info* info = nullptr) : library_(&library), info_(info) {}
  ~Info() { reset(nullptr); }
  Info(Info&& other) noexcept : library_(other.library_), info_(std::exchange(other.info_, nullptr)) {}
  Info& operator=(Info&& other) noexcept {
    reset(std::exchange(other.info_, nullptr));
    library_ = other.library_;
    return *this;
  }
  fi_info* get() const { return info_; }
  fi_info* operator->() const { return info_; }
  void reset(fi_info* info) {
    if (info_) library_->freeinfo(info_);
    info_ = info;
  }

 private:
  const Library* library_;
  fi_info* info_;
};

// A libfabric object that closes itself.
template <class Object>
class Owned {
 public:
  Owned() = default;
  ~Owned() { close(); }
  Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  Object* get() const { return object_; }
  Object* operator->() const { return object_; }
  Object** out() { return &object_; }
  void close() {
    if (object_) fi_close(&object_->fid);
    object_ = nullptr;
  }

 private:
  Object* object_ = nullptr;
};

// Asks libfabric for the provider in the form that a port needs. `source`: the address to listen on, or null.
// Returns libfabric's code.
int find_info(const Library& library, const Provider& provider, const sockaddr_storage* source, Info& out);

struct Fabric {
  explicit Fabric(const Library& library) : library(library), info(library) {}

  // Opens everything, with a first endpoint that listens on `source` (null: where the provider likes). It is enabled
  // and can be posted to.
  Error open(const Provider& provider, const sockaddr_storage* source);

  // Opens one more endpoint.
  Error add(const Provider& provider, const sockaddr_storage& source);

  // The provider's own form of an endpoint's address.
  Error name(const fid_ep& ep, std::string& out) const;

  bool has_mode(int bit) const { return (info->domain_attr->mr_mode & bit) != 0; }

  const Library& library;
  Info info;
  int wait_fd = -1;
  // In the order of opening; closed in reverse.
  Owned<fid_fabric> fabric;
  Owned<fid_domain> domain;
  Owned<fid_av> addresses;
  Owned<fid_cq> queue;
  std::vector<Owned<fid_ep>> eps;

 private:
  Error open_ep(const Provider& provider, fi_info& info);
};

}  // namespace cow::transport::ofi
