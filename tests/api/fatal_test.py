"""Errors that end the program, calls at the wrong time, a tool in between: programs of one rank, run alone."""
import pathlib
import subprocess
import tempfile
import unittest

import support

PROGRAM = """
#include <mpi.h>
#include <stdio.h>
#include <string.h>
static int sends;
#ifdef TOOL
int MPI_Send(const void *buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm)
{{
    ++sends;
    return PMPI_Send(buf, count, datatype, dest, tag, comm);
}}
#endif
int main(int argc, char **argv)
{{
    int number = 5;
    char text[MPI_MAX_ERROR_STRING];
    (void) sends; (void) number; (void) text;
    {body}
    return 0;
}}
"""


def run(body, *options, **environment):
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder) / "program.c", pathlib.Path(folder) / "program"
        source.write_text(PROGRAM.format(body=body), encoding="utf-8")
        support.run(support.C_COMPILER, *options, f"-I{support.BUILD}/include", source, "-o", program, support.LIBRARY,
                    f"-Wl,-rpath,{pathlib.Path(support.LIBRARY).parent}")
        return subprocess.run([program], capture_output=True, text=True, check=False, timeout=60,
                              env={"PATH": "/usr/bin:/bin", **environment})


class Fatal(unittest.TestCase):
    def test_an_error_prints_one_line_and_ends_the_program(self):
        done = run('MPI_Init(&argc, &argv); MPI_Send(&number, 1, MPI_INT, 7, 1, MPI_COMM_WORLD); puts("alive");')
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        self.assertRegex(done.stderr, r"^\[rank 0\] MPI_Send\(buf=0x[0-9a-f]+, count=1, datatype=MPI_INT, dest=7, tag=1, "
                                      r"comm=MPI_COMM_WORLD\): rank 7 does not exist: MPI_COMM_WORLD has 1 rank\n$")

    def test_before_the_start(self):
        done = run('int rank; MPI_Comm_rank(MPI_COMM_WORLD, &rank);')
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"^MPI_Comm_rank\(comm=MPI_COMM_WORLD, rank=0x[0-9a-f]+\): called before MPI_Init\n$")

    def test_after_the_end(self):
        done = run('int rank; MPI_Init(0, 0); MPI_Finalize(); MPI_Comm_rank(MPI_COMM_WORLD, &rank);')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("called after MPI_Finalize\n", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_what_is_allowed_at_any_time(self):
        calls = """
            { int flag, version, length, code, class; char name[MPI_MAX_LIBRARY_VERSION_STRING]; MPI_Info info;
              MPI_Initialized(&flag); printf("%d", flag); MPI_Finalized(&flag); printf("%d", flag);
              MPI_Get_version(&version, &length); MPI_Get_library_version(name, &length);
              MPI_Info_create(&info); MPI_Info_set(info, "key", "value"); MPI_Info_free(&info);
              MPI_Add_error_class(&class); MPI_Add_error_code(class, &code); MPI_Error_class(code, &length);
              MPI_Error_string(MPI_ERR_RANK, text, &length); printf("%d ", MPI_Wtime() > 0); }"""
        done = run(calls + "MPI_Init(0, 0);" + calls + "MPI_Finalize();" + calls)
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, "", "001 101 111 "))


class Abi(unittest.TestCase):
    def test_tells_its_sizes(self):
        done = run("""MPI_Info info; int flag, length = sizeof text; MPI_Abi_get_info(&info);
                      MPI_Info_get_string(info, "mpi_count_size", &length, text, &flag); printf("%d %s", flag, text);
                      MPI_Info_free(&info);""")
        self.assertEqual((done.stdout, done.stderr), ("1 8", ""))


class Checks(unittest.TestCase):
    BODY = """MPI_Init(0, 0); MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
              printf("%d", MPI_Send(&number, 1, MPI_INT, MPI_PROC_NULL, -5, MPI_COMM_WORLD)); MPI_Finalize();"""

    def test_are_on(self):
        self.assertEqual(run(self.BODY).stdout, "4")

    def test_can_be_switched_off(self):
        self.assertEqual(run(self.BODY, COW_CHECKS="no").stdout, "0")


class Tool(unittest.TestCase):
    BODY = """MPI_Init(0, 0); MPI_Send(&number, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD);
              printf("%d", sends); MPI_Finalize();"""

    def test_replaces_a_function(self):
        self.assertEqual(run(self.BODY, "-DTOOL").stdout, "1")

    def test_changes_nothing_otherwise(self):
        self.assertEqual(run(self.BODY).stdout, "0")


class Strict(unittest.TestCase):
    """What is done although the standard does not allow it."""
    BODY = """
        char a = 1, b = 2;
        MPI_Aint c = 1, d = 2;
        MPI_Init(&argc, &argv);
        MPI_Reduce_local(&a, &b, 1, MPI_CHAR, MPI_SUM);
        MPI_Allreduce(MPI_IN_PLACE, &b, 1, MPI_CHAR, MPI_SUM, MPI_COMM_WORLD);
        MPI_Reduce_local(&c, &d, 1, MPI_AINT, MPI_LXOR);
        MPI_Reduce_local(&c, &d, 1, MPI_AINT, MPI_BXOR);
        printf("%d %d", b, (int) d);
        MPI_Finalize();"""
    TOLD = """\
cow: rank 0: MPI_SUM works on MPI_CHAR as on MPI_SIGNED_CHAR: the standard does not allow it, and takes integers, \
floating-point and complex numbers
cow: rank 0: MPI_LXOR works on MPI_AINT as on MPI_INT64_T: the standard does not allow it, and takes C integers and \
logical types
"""

    def test_it_is_told_once_for_each(self):
        done = run(self.BODY, COW_CHECKS="strict")
        self.assertEqual((done.returncode, done.stdout), (0, "3 1"))
        self.assertEqual(done.stderr.replace("MPI_UNSIGNED_CHAR", "MPI_SIGNED_CHAR"), self.TOLD)

    def test_it_is_not_told_otherwise(self):
        for checks in ("yes", "no"):
            done = run(self.BODY, COW_CHECKS=checks)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "3 1", ""))


if __name__ == "__main__":
    unittest.main()
