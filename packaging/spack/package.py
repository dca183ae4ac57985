# A recipe for Spack, written by its manual and NOT RUN where this project is tested. Into a repository of your own:
#   spack repo create ~/repo; mkdir ~/repo/packages/cowmpi; cp package.py ~/repo/packages/cowmpi/; spack repo add ~/repo
#   spack dev-build cowmpi@0.1.0          in a checkout
from spack.package import *


class Cowmpi(CMakePackage):
    """COW MPI: MPI 5.0 in C++20 over libfabric, PMIx and hwloc, with the standard's ABI."""

    license("BSD-3-Clause")

    version("0.1.0")  # no release to download yet: spack dev-build, or spack develop

    provides("mpi")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("python@3:", type="build")
    depends_on("cli11", type="build")
    depends_on("nlohmann-json", type="build")
    depends_on("libfabric")
    depends_on("pmix@4:")
    depends_on("hwloc@2:")

    generator("ninja")

    def cmake_args(self):
        return [self.define("BUILD_TESTING", False)]

    def setup_dependent_package(self, module, dependent_spec):
        self.spec.mpicc = self.prefix.bin.mpicc
        self.spec.mpicxx = self.prefix.bin.mpicxx

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.set("COW_CC", dependent_spec.package.module.spack_cc)
        env.set("COW_CXX", dependent_spec.package.module.spack_cxx)
