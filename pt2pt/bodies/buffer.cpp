// Buffers for buffered sends.
#include "api/bodies.hpp"
#include "pt2pt/buffered.hpp"
#include "pt2pt/waiting.hpp"

namespace cow {

Error body::Buffer_attach(void* buffer, MPI_Count size) { return pt2pt::process_buffer().attach(buffer, size); }

Error body::Buffer_detach(void* buffer_addr, MPI_Count* size) {
  return pt2pt::process_buffer().detach(static_cast<void**>(buffer_addr), size);
}

Error body::Buffer_flush() {
  pt2pt::process_buffer().flush();
  return success;
}

Error body::Buffer_iflush(MPI_Request* request) {
  return pt2pt::give_handle(*pt2pt::process_buffer().begin_flush(), request);
}

Error body::Comm_attach_buffer(Comm& comm, void* buffer, MPI_Count size) {
  return pt2pt::buffer_of(comm).attach(buffer, size);
}

Error body::Comm_detach_buffer(Comm& comm, void* buffer_addr, MPI_Count* size) {
  return pt2pt::buffer_of(comm).detach(static_cast<void**>(buffer_addr), size);
}

Error body::Comm_flush_buffer(Comm& comm) {
  pt2pt::buffer_of(comm).flush();
  return success;
}

Error body::Comm_iflush_buffer(Comm& comm, MPI_Request* request) {
  return pt2pt::give_handle(*pt2pt::buffer_of(comm).begin_flush(), request);
}

}  // namespace cow
