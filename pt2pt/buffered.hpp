// Buffered sends: the message is copied into a buffer that the program has attached, and the call returns.
//
// A buffer belongs to the process, to a session, or to one communicator; a send uses the narrowest that is attached. It is memory of the
// program's, or MPI_BUFFER_AUTOMATIC: as much of the library's as is needed.
#pragma once

#include <vector>

#include "pt2pt/compound_request.hpp"
#include "pt2pt/pt2pt.hpp"

namespace cow::pt2pt {

class SendBuffer {
 public:
  Error attach(void* memory, MPI_Count size);
  // Waits until all messages in it have left, and gives it back.
  Error detach(void** memory, MPI_Count* size);
  bool attached() const { return attached_; }

  // Copies the message and begins to send it. Fails with MPI_ERR_BUFFER when there is no room.
  Error send(const SendArgs& args);

  // Waits until all messages in it have left.
  void flush();
  // A request that is complete when they have.
  Request* begin_flush();

 private:
  // A message in the buffer; the list is in the order of place.
  struct Segment {
    std::size_t begin = 0;
    std::size_t end = 0;
    void* own = nullptr;         // MPI_BUFFER_AUTOMATIC: its own memory
    Request* request = nullptr;  // the send from it
  };
  void reclaim();
  bool find_gap(std::size_t bytes, Segment& segment, std::size_t& position) const;
  Error place(std::size_t bytes, Segment& segment, std::size_t& position, std::byte*& memory);

  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
  bool attached_ = false;
  bool automatic_ = false;
  std::vector<Segment> segments_;
};

// The one of the process.
SendBuffer& process_buffer();

// The one of a communicator, and of a session; made at the first call.
SendBuffer& buffer_of(Comm& comm);
SendBuffer& buffer_of(Session& session);

// Through the communicator's buffer when it has one attached, else its session's, else the process's.
Error send_buffered(const SendArgs& args);

}  // namespace cow::pt2pt
