#!/usr/bin/env python3
"""The checker itself finds what it is there to find: each kind of wrong include, in a small tree made for it."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check


class Layers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.write("src/base/clock.hpp", "")
        self.write("src/objects/comm.hpp", "")
        self.write("src/io/file.hpp", "")
        self.write("src/rma/window.hpp", "")
        self.write("src/api/text.hpp", "")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, path, text):
        full = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as file:
            file.write(text)

    def wrong(self, path, include):
        self.write(path, f"#include {include}\n")
        return len(check.check_layers(self.folder.name))

    def test_downward_is_right(self):
        self.assertEqual(self.wrong("pt2pt/match.cpp", '"objects/comm.hpp"'), 0)

    def test_upward_is_wrong(self):
        self.assertEqual(self.wrong("src/base/log.cpp", '"objects/comm.hpp"'), 1)

    def test_beside_is_wrong(self):
        self.assertEqual(self.wrong("src/rma/a.cpp", '"io/file.hpp"'), 1)

    def test_generated_header_of_a_higher_layer_is_wrong(self):
        self.assertEqual(self.wrong("src/objects/a.cpp", '"api/bodies.hpp"'), 1)

    def test_bodies_may_see_their_declarations(self):
        self.assertEqual(self.wrong("pt2pt/bodies/send.cpp", '"api/bodies.hpp"'), 0)

    def test_libfabric_only_in_ofi(self):
        self.assertEqual(self.wrong("src/transport/wire.cpp", "<rdma/fabric.h>"), 1)
        self.assertEqual(self.wrong("src/transport/wire.cpp", "<vector>"), 0)
        self.assertEqual(self.wrong("src/transport/ofi/port.cpp", "<rdma/fabric.h>"), 0)

    def test_launcher_sees_only_base(self):
        self.assertEqual(self.wrong("launcher/agent/agent.cpp", '"base/clock.hpp"'), 0)
        self.assertEqual(self.wrong("launcher/agent/agent.cpp", '"objects/comm.hpp"'), 1)

    def test_rooms_of_a_layer(self):
        for path in ("coll/core/verbs.hpp", "coll/select/select.hpp", "coll/examine/links.hpp", "launcher/tree/tree.hpp"):
            self.write(path, "")
        self.assertEqual(self.wrong("coll/select/a.cpp", '"coll/core/verbs.hpp"'), 0)
        os.remove(os.path.join(self.folder.name, "coll/select/a.cpp"))
        self.assertEqual(self.wrong("coll/core/a.cpp", '"coll/select/select.hpp"'), 1)
        os.remove(os.path.join(self.folder.name, "coll/core/a.cpp"))
        self.assertEqual(self.wrong("coll/bodies/a.cpp", '"coll/examine/links.hpp"'), 1)
        os.remove(os.path.join(self.folder.name, "coll/bodies/a.cpp"))
        self.assertEqual(self.wrong("coll/new.cpp", '"coll/core/verbs.hpp"'), 1)
        os.remove(os.path.join(self.folder.name, "coll/new.cpp"))
        self.assertEqual(self.wrong("launcher/agent/a.cpp", '"launcher/tree/tree.hpp"'), 0)
        self.assertEqual(self.wrong("launcher/core/a.cpp", '"launcher/tree/tree.hpp"'), 1)

    def test_base_knows_nothing_of_mpi(self):
        self.assertEqual(self.wrong("src/base/log.cpp", '"mpi.h"'), 1)

    def test_long_file(self):
        self.write("src/base/long.cpp", "\n" * (check.MOST_LINES + 1))
        self.assertEqual(len(check.check_sizes(self.folder.name)), 1)


class Headers(unittest.TestCase):
    def test_what_begins_a_source_compiles_alone(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in (
                ("src/base/a.cpp", '#include "base/a.hpp"\n#include "base/c.hpp"\n'),
                ("src/base/a.hpp", '#pragma once\n#include "base/b.hpp"\n#include "base/d.hpp"\n'),
                ("src/base/b.hpp", "#include <vector>\n"),
                ("src/base/c.hpp", ""),
                ("src/base/d.hpp", ""),
                ("src/base/e.hpp", ""),
                ("tests/e_test.cpp", '#include "base/e.hpp"\n'),
            ):
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w") as file:
                    file.write(text)
            self.assertEqual(check.proven_headers(root), {"src/base/a.hpp", "src/base/b.hpp"})


class Functions(unittest.TestCase):
    """Functions of every shape that clang-format writes."""

    def found(self, text):
        return [(first + 1, last + 1) for first, last in check.functions_of(text.splitlines())]

    def test_functions(self):
        self.assertEqual(self.found("int f(int a) {\n  return a;\n}\n"), [(1, 3)])
        self.assertEqual(self.found("struct S {\n  void f() const {\n    g();\n  }\n};\n"), [(2, 4)])
        self.assertEqual(self.found("TEST(Suite, Name) {\n  EXPECT_TRUE(true);\n}\n"), [(1, 3)])

    def test_parameters_on_several_lines(self):
        self.assertEqual(self.found("int f(int a,\n      int b) {\n  return a;\n}\n"), [(1, 4)])

    def test_initializers_on_several_lines(self):
        text = "A::A(int a)\n    : a_(a), b_(\n          [] { g(); }),\n      c_(a) {\n  if (a) {\n    f(a);\n  }\n}\n"
        self.assertEqual(self.found(text), [(1, 8)])

    def test_what_is_no_function(self):
        for line in ("namespace a {", "struct S {", "class alignas(64) S {", "const int a[f()] = {", "  if (a) {", "  } else if (a) {",
                     "  for (int i = 0; i < 2; ++i) {", "  while (true) {", "  switch (f(a)) {", '  call("(", [] {'):
            self.assertEqual(self.found(f"{line}\n    f();\n{line[:len(line) - len(line.lstrip())]}}}\n"), [], line)

    def test_too_long(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "src/base"))
            for lines, wrong in ((check.MOST_LINES_OF_FUNCTION, 0), (check.MOST_LINES_OF_FUNCTION + 1, 1)):
                with open(os.path.join(root, "src/base/a.cpp"), "w") as file:
                    file.write("void f() {\n" + "  g();\n" * (lines - 2) + "}\n")
                self.assertEqual(len(check.check_functions(root)), wrong)


class Symbols(unittest.TestCase):
    """One file defines f, another needs it."""

    def wrong(self, defining, needing):
        return len(check.judge_symbols([(path, "f", True) for path in defining] + [(needing, "f", False)]))

    def test_downward_is_right(self):
        self.assertEqual(self.wrong(["src/objects/blame.cpp"], "pt2pt/bodies/probe.cpp"), 0)

    def test_upward_is_wrong_for_bodies_too(self):
        self.assertEqual(self.wrong(["src/api/report.cpp"], "pt2pt/bodies/probe.cpp"), 1)

    def test_beside_is_wrong(self):
        self.assertEqual(self.wrong(["src/io/file.cpp"], "src/rma/window.cpp"), 1)

    def test_one_that_may_be_seen_suffices(self):  # an inline function has a copy in each object that calls it
        self.assertEqual(self.wrong(["src/api/report.cpp", "src/base/error.cpp"], "pt2pt/match.cpp"), 0)

    def test_what_nobody_here_defines_is_the_system_s(self):
        self.assertEqual(self.wrong([], "pt2pt/match.cpp"), 0)

    def test_rooms(self):
        self.assertEqual(self.wrong(["coll/core/nodes.cpp"], "coll/select/select.cpp"), 0)
        self.assertEqual(self.wrong(["coll/select/select.cpp"], "coll/core/nodes.cpp"), 1)

    def test_launcher_needs_base_alone(self):
        self.assertEqual(self.wrong(["src/base/settings.cpp"], "launcher/core/job.cpp"), 0)
        self.assertEqual(self.wrong(["src/runtime/hardware.cpp"], "launcher/core/job.cpp"), 1)

    def test_the_compiler_s_own_words(self):
        """From a call in a compiled file to the complaint."""
        with tempfile.TemporaryDirectory() as root:
            commands = []
            for path, text in (("src/api/a.cpp", "void f() {}"), ("src/base/b.cpp", "void f(); void g() { f(); }")):
                source, built = os.path.join(root, path), os.path.join(root, os.path.basename(path) + ".o")
                os.makedirs(os.path.dirname(source))
                with open(source, "w") as file:
                    file.write(text)
                command = f"c++ -c {source} -o {built}"
                subprocess.run(command.split(), check=True)
                commands.append({"directory": root, "file": source, "command": command})
            with open(os.path.join(root, "compile_commands.json"), "w") as file:
                json.dump(commands, file)
            wrong = check.check_symbols(root, root)
        self.assertEqual(len(wrong), 1)
        self.assertTrue(wrong[0].startswith("src/base/b.cpp needs f() of src/api/a.cpp"), wrong[0])


if __name__ == "__main__":
    unittest.main()
