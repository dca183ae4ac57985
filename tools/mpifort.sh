#!/bin/sh
# COW MPI has no Fortran interface yet: this says so, where a build would otherwise find another MPI's mpifort.
echo "mpifort: COW MPI does not support Fortran yet; C and C++ programs are compiled with mpicc and mpicxx" >&2
exit 1
