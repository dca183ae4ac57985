// A request that is complete when several others are.
#pragma once

#include <memory>
#include <vector>

#include "pt2pt/pt2pt.hpp"

namespace cow::pt2pt {

// Made with one reference, for the caller, and one that close() and the parts drop together.
struct CompoundRequest : Request {
  explicit CompoundRequest(const RequestKind& kind);

  // Adds a part and takes over the caller's reference to it. The first part's status becomes the joint one's.
  void add(Request& part);
  // No more parts will come.
  void close();

  std::unique_ptr<std::byte[]> memory;  // what the parts need: freed with the request

 private:
  struct Part : Continuation {
    CompoundRequest* joint = nullptr;
    bool first = false;
  };
  void part_done();

  std::vector<std::unique_ptr<Part>> parts_;
  std::size_t open_ = 1;  // parts not complete, and one until close()
  Error outcome_;
  std::string failure_;  // its message
};

// A CompoundRequest of this name for messages.
CompoundRequest* make_compound_request(Comm* comm);

}  // namespace cow::pt2pt
