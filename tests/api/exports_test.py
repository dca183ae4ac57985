"""What libmpi_abi.so.1 exports and needs, and that the list of unsupported functions is exact."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import exports
import support
import table

ALLOWED_LIBRARIES = re.compile(r"lib(pmix|hwloc)\.so\.\d+|libgcc_s\.so\.1|libc\.so\.6|libm\.so\.6|ld-linux-[-\w]+\.so\.\d+|"
                               r"lib(pthread|dl|rt)\.so\.\d+")


def exported():
    """{name: type letter} of the dynamic symbols that the library defines."""
    rows = [line.split() for line in support.run("nm", "-D", "--defined-only", support.LIBRARY).splitlines()]
    return {row[-1].split("@")[0]: row[-2] for row in rows}


class Exports(unittest.TestCase):
    def test_exactly_the_standard_and_mpix(self):
        expected = {prefix + f.name for f in table.read_functions() for prefix in ("", "P")}
        extensions = exports.extension_names((support.SOURCE / "include/mpix.h").read_text(encoding="utf-8"))
        self.assertIn("MPIX_Cow_version", extensions)
        self.assertEqual(set(exported()), expected | set(extensions))

    def test_mpi_names_are_weak(self):
        symbols = exported()
        for f in table.read_functions():
            self.assertEqual((symbols[f.name], symbols["P" + f.name]), ("W", "T"), f.name)

    def test_needs_only_what_it_may(self):
        dynamic = support.run("readelf", "-d", "-W", support.LIBRARY)
        needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
        self.assertIn("libc.so.6", needed)
        self.assertIn("libgcc_s.so.1", needed)  # one unwinder in a process: exceptions pass through the library
        self.assertEqual([name for name in needed if not ALLOWED_LIBRARIES.fullmatch(name)], [])
        self.assertIn("[libmpi_abi.so.1]", dynamic)
        self.assertRegex(dynamic, r"FLAGS_1\).*\bNOW\b")

    def test_destroys_nothing_at_exit(self):
        """exit() runs in children of a rank, too, so only runtime::at_exit() has anything done there: all that asks for it
        passes api/at_exit_only.cpp, and there is no destructor but the compiler's own."""
        callers, current = set(), None
        for line in support.run("objdump", "-d", "--no-show-raw-insn", support.LIBRARY).splitlines():
            heading = re.match(r"[0-9a-f]+ <(.+)>:", line)
            if heading:
                current = heading[1]
            elif re.search(r"<(__cxa_atexit|on_exit|__cxa_thread_atexit\w*)@plt>", line):
                callers.add(current)
        self.assertEqual(callers, {"__wrap___cxa_atexit"})
        self.assertRegex(support.run("readelf", "-d", "-W", support.LIBRARY), r"\(FINI_ARRAYSZ\)\s+8 \(bytes\)")

    def test_names_no_folder_of_the_build(self):
        data = pathlib.Path(support.LIBRARY).read_bytes()
        self.assertNotIn(str(support.SOURCE).encode(), data)
        self.assertNotIn(str(support.BUILD).encode(), data)


class Unsupported(unittest.TestCase):
    def answering_unsupported(self):
        """The functions whose code calls cow::api::unsupported."""
        found, current = set(), None
        with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", support.LIBRARY], stdout=subprocess.PIPE,
                              text=True) as objdump:
            for line in objdump.stdout:
                heading = re.match(r"[0-9a-f]+ <(.+)>:", line)
                if heading:
                    name = re.fullmatch(r"P?(MPI_\w+?)(\.cold|\.part\.\d+)*", heading[1])
                    current = name and name[1]
                elif current and re.search(r"<_ZN3cow3api11unsupported\w+>", line):
                    found.add(current)
        return found

    def test_the_list_is_exact(self):
        listed = (support.SOURCE / "src/api/unsupported.txt").read_text(encoding="utf-8").split()
        self.assertEqual(len(listed), len(set(listed)))
        self.assertEqual(self.answering_unsupported(), set(listed),
                         "src/api/unsupported.txt is not what the library does: ninja update_unsupported")


class Profiling(unittest.TestCase):
    PROGRAM = """
        #include <mpi.h>
        #include <stdio.h>
        static int calls;
        int MPI_Get_version(int *version, int *subversion) {
          ++calls;
          return PMPI_Get_version(version, subversion);
        }
        int main(void) {
          int version, subversion;
          MPI_Get_version(&version, &subversion);
          printf("%d %d.%d\\n", calls, version, subversion);
          return 0;
        }"""

    def test_a_tool_may_replace_a_function(self):
        with tempfile.TemporaryDirectory() as folder:
            file, program = pathlib.Path(folder) / "tool.c", pathlib.Path(folder) / "tool"
            file.write_text(self.PROGRAM, encoding="utf-8")
            support.run(support.C_COMPILER, f"-I{support.BUILD}/include", file, "-o", program, support.LIBRARY,
                        f"-Wl,-rpath,{pathlib.Path(support.LIBRARY).parent}")
            self.assertEqual(support.run(program).split(), ["1", "5.0"])


if __name__ == "__main__":
    unittest.main()
