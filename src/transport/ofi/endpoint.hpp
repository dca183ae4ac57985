// One reliable-datagram endpoint of a provider with what belongs to it: fabric, domain, address table, completion queue.
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
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
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

struct Endpoint {
  explicit Endpoint(const Library& library) : library(library), info(library) {}

  // Opens everything; the endpoint is enabled and can be posted to.
  Error open(const Provider& provider, const sockaddr_storage* source);

  // The provider's own form of this endpoint's address.
  Error name(std::string& out) const;

  bool has_mode(int bit) const { return (info->domain_attr->mr_mode & bit) != 0; }

  const Library& library;
  Info info;
  int wait_fd = -1;
  // In the order of opening; closed in reverse.
  Owned<fid_fabric> fabric;
  Owned<fid_domain> domain;
  Owned<fid_av> addresses;
  Owned<fid_cq> queue;
  Owned<fid_ep> ep;
};

}  // namespace cow::transport::ofi
