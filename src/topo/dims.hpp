// MPI_Dims_create's arithmetic.
#pragma once

#include <vector>

namespace cow::topo {

// `parts` factors of n, 1 or more each, the largest first, as close to each other as there are: the difference between
// the largest and the smallest is the least possible; among several such, the largest is least, then the second, and
// so on.
std::vector<int> balanced_factors(int n, int parts);

}  // namespace cow::topo
