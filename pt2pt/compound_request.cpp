#include "pt2pt/compound_request.hpp"

namespace cow::pt2pt {
namespace {

void release_compound_request(Request& request) {
  if (request.comm) release(*request.comm);
  delete static_cast<CompoundRequest*>(&request);
}

const RequestKind compound_request_kind{.name = "send and receive", .release = release_compound_request};

}  // namespace

CompoundRequest::CompoundRequest(const RequestKind& request_kind) : Request(request_kind) { retain(*this); }

void CompoundRequest::add(Request& part) {
  auto entry = std::make_unique<Part>();
  entry->joint = this;
  entry->first = parts_.empty();
  entry->run = [](Continuation& continuation, Request& request) {
    const Part& self = static_cast<Part&>(continuation);
    CompoundRequest& joint = *self.joint;
    if (self.first) joint.status = request.status;
    if (const Error error = error_of(request)) {
      joint.outcome_ = error;
      joint.failure_ = last_failure();
    }
    release(request);
    joint.part_done();
  };
  ++open_;
  parts_.push_back(std::move(entry));
  when_complete(part, *parts_.back());
}

void CompoundRequest::close() { part_done(); }

void CompoundRequest::part_done() {
  if (--open_ > 0) return;
  finish(*this, outcome_ ? fail(outcome_.code(), "%s", failure_.c_str()) : success);
}

CompoundRequest* make_compound_request(Comm* comm) {
  auto* joint = new CompoundRequest(compound_request_kind);
  joint->comm = comm;
  if (comm) retain(*comm);
  return joint;
}

}  // namespace cow::pt2pt
