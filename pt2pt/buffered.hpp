// Buffered sends: the message is copied into the program's buffer, and the call returns.
#pragma once

#include "pt2pt/pt2pt.hpp"

namespace cow::pt2pt {

// Copies the message into the attached buffer and begins to send it from there. Fails with MPI_ERR_BUFFER when the
// buffer has no room.
Error send_buffered(const SendArgs& args);

// One buffer for the process. `size` bytes, or MPI_BUFFER_AUTOMATIC for as much of the library's memory as is needed.
Error attach_buffer(void* buffer, MPI_Count size);

// Waits until all messages in it have left, and gives it back.
Error detach_buffer(void** buffer, MPI_Count* size);

// Waits until all messages in it have left.
Error flush_buffer();

}  // namespace cow::pt2pt
