// The same program as C++.
#include "removed_names.c"
