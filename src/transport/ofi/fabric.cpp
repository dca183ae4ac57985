#include "transport/ofi/fabric.hpp"

#include <netinet/in.h>

#include <cstdlib>
#include <cstring>

#include "transport/ofi/wait.hpp"

namespace cow::transport::ofi {
namespace {

constexpr int known_mr_modes = FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_ENDPOINT;

Error failed(const Fabric& fabric, const Provider& provider, const char* what, int code) {
  return fail(ErrorClass::other, "libfabric's provider %s: %s: %s", provider.name, what,
              fabric.library.strerror(std::abs(code)));
}

void set_source(fi_info& hints, const sockaddr_storage& source) {
  const bool v4 = source.ss_family == AF_INET;
  const std::size_t size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  hints.addr_format = v4 ? FI_SOCKADDR_IN : FI_SOCKADDR_IN6;
  hints.src_addr = malloc(size);  // freed by fi_freeinfo
  memcpy(hints.src_addr, &source, size);
  hints.src_addrlen = size;
}

}  // namespace

int find_info(const Library& library, const Provider& provider, const sockaddr_storage* source, Info& out) {
  Info hints(library, library.dupinfo(nullptr));
  if (!hints.get()) return -FI_ENOMEM;
  hints->caps = FI_MSG;
  if (provider.read || provider.write) hints->caps |= FI_RMA;
  if (provider.multi_receive) hints->caps |= FI_MULTI_RECV;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->ep_attr->type = FI_EP_RDM;
  hints->fabric_attr->prov_name = strdup(provider.name);
  hints->domain_attr->mr_mode = known_mr_modes;
  hints->domain_attr->av_type = FI_AV_TABLE;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;  // the port's callers hold one lock
  hints->domain_attr->control_progress = FI_PROGRESS_MANUAL;
  hints->domain_attr->data_progress = FI_PROGRESS_MANUAL;
  hints->domain_attr->resource_mgmt = FI_RM_ENABLED;
  if (source) set_source(*hints.get(), *source);
  fi_info* found = nullptr;
  const int code = library.getinfo(library.version, nullptr, nullptr, 0, hints.get(), &found);
  // A name asked for also brings layered providers that contain it: only the very one will do.
  Info all(library, found);
  for (fi_info* each = found; each; each = each->next) {
    if (strcmp(each->fabric_attr->prov_name, provider.name) != 0) continue;
    out.reset(library.dupinfo(each));
    return out.get() ? 0 : -FI_ENOMEM;
  }
  return code ? code : -FI_ENODATA;
}

Error Fabric::open(const Provider& provider, const sockaddr_storage* source) {
  if (int code = find_info(library, provider, source, info)) return failed(*this, provider, "not usable here", code);
  if (int code = library.fabric(info->fabric_attr, fabric.out(), nullptr))
    return failed(*this, provider, "cannot open its fabric", code);
  if (int code = fi_domain(fabric.get(), info.get(), domain.out(), nullptr))
    return failed(*this, provider, "cannot open its domain", code);

  fi_av_attr av = {};
  av.type = FI_AV_TABLE;
  if (int code = fi_av_open(domain.get(), &av, addresses.out(), nullptr))
    return failed(*this, provider, "cannot open a table of addresses", code);

  fi_cq_attr cq = {};
  cq.format = provider.multi_receive ? FI_CQ_FORMAT_DATA : FI_CQ_FORMAT_MSG;
  cq.wait_obj = provider.wait != Wait::none ? FI_WAIT_FD : FI_WAIT_NONE;
  cq.size = 1024;
  if (int code = fi_cq_open(domain.get(), &cq, queue.out(), nullptr))
    return failed(*this, provider, "cannot open a completion queue", code);
  if (provider.wait != Wait::none) {
    if (int code = fi_control(&queue->fid, FI_GETWAIT, &wait_fd))
      return failed(*this, provider, "has no descriptor to wait on", code);
  }
  if (Error error = open_ep(provider, *info.get())) return error;
  if (provider.wait == Wait::stale) drop_signal(wait_fd);
  return success;
}

Error Fabric::add(const Provider& provider, const sockaddr_storage& source) {
  Info more(library);
  if (int code = find_info(library, provider, &source, more)) return failed(*this, provider, "not usable here", code);
  return open_ep(provider, *more.get());
}

Error Fabric::open_ep(const Provider& provider, fi_info& info) {
  Owned<fid_ep>& ep = eps.emplace_back();
  if (int code = fi_endpoint(domain.get(), &info, ep.out(), nullptr))
    return failed(*this, provider, "cannot open an endpoint", code);
  int code = fi_ep_bind(ep.get(), &addresses->fid, 0);
  if (!code) code = fi_ep_bind(ep.get(), &queue->fid, FI_TRANSMIT | FI_RECV);
  if (!code) code = fi_enable(ep.get());
  return code ? failed(*this, provider, "cannot enable an endpoint", code) : success;
}

Error Fabric::name(const fid_ep& ep, std::string& out) const {
  std::size_t size = 256;
  out.resize(size);
  if (int code = fi_getname(const_cast<fid*>(&ep.fid), out.data(), &size))
    return fail(ErrorClass::other, "libfabric's endpoint has no address: %s", library.strerror(std::abs(code)));
  out.resize(size);
  return success;
}

}  // namespace cow::transport::ofi
