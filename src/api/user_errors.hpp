// Error classes and codes that the program adds (MPI_Add_error_class and its like). Under the progress lock.
#pragma once

#include <string>

#include "base/error.hpp"

namespace cow::api {

Error add_class(int& error_class);
Error add_code(int error_class, int& code);
Error set_string(int code, std::string text);
Error remove_class(int error_class);
Error remove_code(int code);
Error remove_string(int code);

// The class of any code, predefined ones included; an error when there is no such code.
Error class_of(int code, int& error_class);

// The text that the program gave to one of its own codes; null when there is none.
const std::string* own_text(int code);

// The value of MPI_LASTUSEDCODE.
int last_used_code();

}  // namespace cow::api
