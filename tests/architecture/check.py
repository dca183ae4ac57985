#!/usr/bin/env python3
"""Checks the shape of the source tree.

layers ROOT         no include runs upward through the layers; only transport/ofi includes rdma/*.h
sizes ROOT          no file is longer than people can read at a stretch
functions ROOT      no function is longer than people can keep in mind
pages ROOT          the paths that docs/ and README.md name exist
names ROOT          no name that was given up (retired_names.txt) has come back
headers ROOT BUILD  every header compiles alone, with the flags of a source file of its layer
headers_unproven ROOT BUILD  the same of those for which the build does not show it, tests left out
symbols ROOT BUILD  what is compiled calls nothing upward either: objects of a layer or room need no symbol of those above
"""
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

MOST_LINES = 500
MOST_LINES_OF_FUNCTION = 50
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# From the bottom to the top; folders in one row do not see each other. A layer sees its own row and those above it here.
LAYERS = [
    ["src/base"],
    ["src/runtime"],
    ["src/transport"],
    ["src/objects"],
    ["pt2pt"],
    ["coll"],
    ["src/rma", "src/io", "src/topo"],
    ["src/api"],
]
# The rooms of a layer, from the bottom to the top; those in one row do not see each other.
ROOMS = {
    "coll": [["core"], ["algorithms"], ["shm"], ["select"], ["prepare"], ["execute"], ["comms"], ["examine", "bodies"]],
    "launcher": [["core"], ["placement"], ["rm"], ["tree"], ["streams"], ["pmix"], ["agent", "mpirun"]],
}
# Apart from the stack: what each of these may see.
BESIDE = {
    "launcher": ["launcher", "src/base"],
    "tools": ["tools", "launcher", "src/base", "src/transport", "pt2pt", "coll", "src/api"],
    "perf": ["perf"],
}
OF_PROGRAMS = ["src", "pt2pt", "coll", "launcher", "tools", "perf"]  # all but tests
# Bodies of MPI functions are the top of their layer: they are written against the declarations that src/api makes.
GENERATED_FOR_BODIES = "api/"
PUBLIC = ("mpi.h", "mpix.h", "mpi_removed.h")


def source_files(root, folders, endings=(".cpp", ".hpp", ".h", ".c", ".def")):
    for folder in folders:
        for path, _, names in os.walk(os.path.join(root, folder)):
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(path, name), root)


def rank_of(path):
    """Height of the layer that a file belongs to, or None."""
    for height, row in enumerate(LAYERS):
        for folder in row:
            if path.startswith(folder + "/"):
                return height, folder
    return None


def owner(root, name, including):
    """The file of the project that an include means, or None for one of the system."""
    for base in (os.path.dirname(including), "src", "", "perf", "include"):
        candidate = os.path.normpath(os.path.join(base, name))
        if os.path.isfile(os.path.join(root, candidate)):
            return candidate
    for base in ("src", ""):  # generated into the build folder: known by its first part
        if os.path.isdir(os.path.join(root, base, name.split("/")[0])) and "/" in name:
            return os.path.normpath(os.path.join(base, name))
    return None


def room_of(path):
    """The layer with rooms that a file lies in, the height of its room there, and the room's name; or None."""
    layer, _, rest = path.partition("/")
    if layer not in ROOMS:
        return None
    room = rest.split("/")[0] if "/" in rest else None
    for height, row in enumerate(ROOMS[layer]):
        if room in row:
            return layer, height, room
    return layer, None, room


def judge_rooms(path, target):
    """What is wrong with an include from one room of a layer into another, or None."""
    mine, theirs = room_of(path), room_of(target)
    if mine is None or theirs is None or mine[0] != theirs[0]:
        return None
    if mine[1] is None or theirs[1] is None:
        return f"{path if mine[1] is None else target} is in no room of {mine[0]}"
    if theirs[1] > mine[1]:
        return f"the room {mine[2]} must not see {theirs[2]}, which stands above it"
    if theirs[1] == mine[1] and theirs[2] != mine[2]:
        return f"the rooms {mine[2]} and {theirs[2]} stand side by side"
    return None


def beside(path):
    """The folder apart from the stack that a file lies in, or None."""
    return next((folder for folder in BESIDE if path.startswith(folder + "/")), None)


def judge_beside(path, target):
    """What is wrong with a file beside the stack that needs something of another, or None."""
    folder = beside(path)
    if any(target.startswith(one + "/") for one in BESIDE[folder]):
        return judge_rooms(path, target)
    return f"{folder} may see only {', '.join(BESIDE[folder])}"


def judge_include(root, path, quote, name):
    """What is wrong with one include, or None."""
    if name.startswith("rdma/") and not path.startswith("src/transport/ofi/"):
        return "only src/transport/ofi may include libfabric's headers"
    target = owner(root, name, path)
    if target is None or name in PUBLIC:
        if name in PUBLIC and path.startswith("src/base/"):
            return "src/base knows nothing of MPI"
        return None
    if beside(path):
        return judge_beside(path, target)
    if rank_of(path) is None:
        return None
    if rank_of(target) is None:
        return f"{target} is in no layer" if not target.startswith("include/") else None
    if "/bodies/" in path and name.startswith(GENERATED_FOR_BODIES):
        return None
    return judge_layers(path, target)


def judge_layers(path, target):
    """What is wrong with a file of one layer that needs something of another, or None."""
    mine, theirs = rank_of(path), rank_of(target)
    if theirs[0] > mine[0]:
        return f"{mine[1]} must not see {theirs[1]}, which stands above it"
    if theirs[0] == mine[0] and theirs[1] != mine[1]:
        return f"{mine[1]} and {theirs[1]} stand side by side"
    return judge_rooms(path, target)


def check_layers(root):
    wrong, counted = [], 0
    folders = [folder for row in LAYERS for folder in row] + list(BESIDE)
    for path in source_files(root, folders):
        with open(os.path.join(root, path), errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                found = INCLUDE.match(line)
                if not found:
                    continue
                counted += 1
                reason = judge_include(root, path, *found.groups())
                if reason:
                    wrong.append(f"{path}:{number}: {line.strip()}: {reason}")
    print(f"{counted} includes")
    return wrong


def check_sizes(root):
    wrong = []
    folders = ["src", "pt2pt", "coll", "launcher", "tools", "perf", "tests", "include", "cmake"]
    for path in source_files(root, folders, (".cpp", ".hpp", ".h", ".c", ".py", ".cmake", ".def")):
        with open(os.path.join(root, path), errors="replace") as lines:
            count = sum(1 for _ in lines)
        if count > MOST_LINES:
            wrong.append(f"{path}: {count} lines; at most {MOST_LINES}")
    return wrong


# What a line that opens a block begins with where the block is no function, or a part of one.
NO_FUNCTION = re.compile(r"\s*(?:\}|(?:if|else|for|while|do|switch|case|default|try|catch)\b)")
NOT_OF_CODE = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)+\'|//.*|alignas\([^()]*\)')


def head_of_function(lines, opening):
    """The line on which the function begins whose body a line opens, or None where that opens something else.

    Goes by the shape that clang-format gives: parameters that find no room on the first line stand on the next ones, as do
    a constructor's initializers, of which the first begins with a colon and each but the last ends with a comma.
    """
    head = opening
    text = NOT_OF_CODE.sub("", lines[head])
    while head > 0:
        before = NOT_OF_CODE.sub("", lines[head - 1])
        if text.count(")") <= text.count("(") and not text.lstrip().startswith(":") and not before.endswith(","):
            break
        head, text = head - 1, before + text
    if "(" not in text or text.count("(") != text.count(")") or text.endswith("= {") or NO_FUNCTION.match(text):
        return None
    return head


def functions_of(lines):
    """The first and the last line of each function, counted from 0."""
    for opening, line in enumerate(lines):
        if not line.endswith("{"):
            continue
        head = head_of_function(lines, opening)
        if head is None:
            continue
        closing = re.match(r"\s*", lines[head]).group() + "}"
        for last in range(opening + 1, len(lines)):
            if lines[last].startswith(closing):
                yield head, last
                break


def check_functions(root):
    wrong, counted = [], 0
    for path in source_files(root, OF_PROGRAMS + ["tests"]):
        with open(os.path.join(root, path), errors="replace") as file:
            lines = file.read().splitlines()
        for first, last in functions_of(lines):
            counted += 1
            if last - first + 1 > MOST_LINES_OF_FUNCTION:
                name = lines[first].strip()
                wrong.append(f"{path}:{first + 1}: {last - first + 1} lines; at most {MOST_LINES_OF_FUNCTION}: {name}")
    print(f"{counted} functions")
    return wrong


PATH = re.compile(r"`((?:src|coll|pt2pt|launcher|tests|perf|tools|include|docs|cmake)/[\w./-]*\w)`")


def check_pages(root):
    """Paths in pages that lead nowhere. A path may be a file, a folder, or a file without its ending."""
    wrong, counted = [], 0
    pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
    pages += sorted(os.path.join("docs", name) for name in os.listdir(os.path.join(root, "docs")) if name.endswith(".md"))
    for page in pages:
        if not os.path.isfile(os.path.join(root, page)):
            continue
        with open(os.path.join(root, page)) as lines:
            for number, line in enumerate(lines, 1):
                for path in PATH.findall(line):
                    counted += 1
                    full = os.path.join(root, path)
                    if not os.path.exists(full) and not os.path.exists(full + ".cpp"):
                        wrong.append(f"{page}:{number}: there is no {path}")
    print(f"{counted} paths")
    return wrong


def check_names(root):
    """Retired names that stand in the source of their folder."""
    wrong = []
    with open(os.path.join(root, "tests/architecture/retired_names.txt")) as lines:
        retired = [line.rstrip("\n").split("\t") for line in lines if line.strip() and not line.startswith("#")]
    for folder in sorted({row[0] for row in retired}):
        instead = {old: new for where, old, new in retired if where == folder}
        words = re.compile(r"\b(" + "|".join(map(re.escape, instead)) + r")\b")
        for path in source_files(root, [folder]):
            with open(os.path.join(root, path), errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    for old in words.findall(line):
                        wrong.append(f"{path}:{number}: {old} is called {instead[old]} now")
    print(f"{len(retired)} names")
    return wrong


def compile_flags(build):
    """The flags of the compiled source files of each folder, each set once, from compile_commands.json."""
    flags = {}
    with open(os.path.join(build, "compile_commands.json")) as commands:
        for entry in json.load(commands):
            if not entry["file"].endswith(".cpp"):
                continue
            words = shlex.split(entry["command"])
            start = next(i for i, word in enumerate(words) if word.endswith(("c++", "g++", "clang++")) or "++-" in word)
            kept, skip = [words[start]], False
            for word in words[start + 1 :]:
                if skip:
                    skip = False
                elif word in ("-o", "-c", "-MF", "-MT", "-MQ"):
                    skip = True
                elif word not in ("-MD", "-MMD"):
                    kept.append(word)
            known = flags.setdefault(os.path.dirname(entry["file"]), [])
            if (entry["directory"], kept) not in known:
                known.append((entry["directory"], kept))
    return flags


def flags_for(root, path, flags):
    """Those of the source files in the header's own folder, or in the nearest one above or below."""
    folder = os.path.dirname(os.path.join(root, path))
    while folder.startswith(root):
        if folder in flags:
            return flags[folder]
        below = sorted(other for other in flags if other.startswith(folder + "/"))
        if below:
            return flags[below[0]]
        folder = os.path.dirname(folder)
    return []


def first_include(root, path):
    """The file of the project that a file includes before all others, or None."""
    with open(os.path.join(root, path), errors="replace") as lines:
        for line in lines:
            found = INCLUDE.match(line)
            if found:
                return owner(root, found.group(2), path)
    return None


def proven_headers(root):
    """Headers that compile alone since the build compiles a source that begins with them, or with one that does so.

    Not so in tests, before whose first line the precompiled headers of GoogleTest stand.
    """
    proven = set()
    for path in source_files(root, OF_PROGRAMS, (".cpp",)):
        header = first_include(root, path)
        while header and header.endswith(".hpp") and header not in proven and os.path.isfile(os.path.join(root, header)):
            proven.add(header)
            header = first_include(root, header)
    return proven


def check_unproven_headers(root, build):
    proven = proven_headers(root)
    return compile_headers(root, build, [path for path in source_files(root, OF_PROGRAMS, (".hpp",)) if path not in proven])


def check_headers(root, build):
    return compile_headers(root, build, list(source_files(root, OF_PROGRAMS + ["tests"], (".hpp",))))


def compile_headers(root, build, headers):
    """Each alone: what is wrong."""
    flags = compile_flags(build)

    def compile_alone(path):
        # The text of an including file, so that "#pragma once in main file" is not complained of.
        text = f'#include "{os.path.join(root, path)}"\n'
        complaint = None
        for directory, words in flags_for(root, path, flags):  # tests of one folder are linked to different layers
            done = subprocess.run(words + ["-fsyntax-only", "-x", "c++", "-"], cwd=directory, input=text, text=True,
                                  capture_output=True)
            if done.returncode == 0:
                return None
            complaint = complaint or f"{path} does not compile alone:\n{done.stderr}"
        return complaint

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(compile_alone, headers))
    print(f"{len(headers)} headers")
    return [result for result in results if result]


def objects_of(root, build):
    """The compiled files of the layers and beside them: object, source. Generated sources lie in src/ of the build folder."""
    with open(os.path.join(build, "compile_commands.json")) as commands:
        for entry in json.load(commands):
            source = entry["file"]
            if source.startswith(os.path.join(build, "generated") + os.sep):
                path = os.path.join("src", os.path.relpath(source, os.path.join(build, "generated")))
            else:
                path = os.path.relpath(source, root)
            if rank_of(path) or beside(path) in ("launcher", "tools"):  # each program of perf has the same names
                words = shlex.split(entry["command"])
                built = os.path.join(entry["directory"], words[words.index("-o") + 1])
                if os.path.isfile(built):
                    yield built, path


def symbols_of(objects):
    """What nm says of object files: for each of (object, source) the source, a symbol, and whether it is defined there."""
    sources = dict(objects)
    listing = subprocess.run(["nm", "-A", "-P", "-g", *sources], text=True, capture_output=True, check=True).stdout
    for line in listing.splitlines():
        built, _, rest = line.partition(": ")
        name, kind = rest.split(" ")[:2]
        yield sources[built], name, kind not in "Uwv"


def judge_symbols(symbols):
    """Symbols (source, name, defined) that a file needs and only files that it must not see define."""
    symbols, definers, wrong = list(symbols), {}, {}
    for path, name, defined in symbols:
        if defined:
            definers.setdefault(name, []).append(path)
    for path, name, defined in symbols:
        if defined or name not in definers:
            continue
        judge = judge_beside if beside(path) else judge_layers
        reasons = [judge(path, target) for target in definers[name]]
        if all(reasons):
            wrong[path, name] = f"of {definers[name][0]}: {reasons[0]}"
    return wrong


def check_symbols(root, build):
    objects = list(objects_of(root, build))
    folders = [folder for row in LAYERS for folder in row if any(source_files(root, [folder], (".cpp",)))]
    wrong = [f"nothing of {folder} is built" for folder in folders if not any(path.startswith(folder + "/") for _, path in objects)]
    found = judge_symbols(symbols_of(objects)) if objects else {}
    for (path, name), reason in sorted(found.items()):
        plain = subprocess.run(["c++filt", name], text=True, capture_output=True, check=True).stdout.strip()
        wrong.append(f"{path} needs {plain} {reason}")
    print(f"{len(objects)} objects")
    return wrong


def main():
    what, root = sys.argv[1], os.path.abspath(sys.argv[2])
    of_build = {"headers": check_headers, "headers_unproven": check_unproven_headers, "symbols": check_symbols}
    if what in of_build:
        wrong = of_build[what](root, os.path.abspath(sys.argv[3]))
    else:
        wrong = {"layers": check_layers, "sizes": check_sizes, "functions": check_functions, "pages": check_pages, "names": check_names}[what](root)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
