"""The rules of the house that a linter does not know: sizes, imports, and what flight logic may not do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
FLIGHT_FOLDERS: Final = ("core", "kernels", "wire", "services", "apps", "node")
DECISION_FOLDERS: Final = ("core", "services", "node")
"""Where a float that differs in its last bit could change what a constellation does."""
FORBIDDEN_MODULES: Final = frozenset(
    (
        *("zmq", "asyncio", "socket", "time", "datetime", "random", "uuid"),
        *("threading", "multiprocessing", "subprocess", "logging", "os"),
    )
)
TRANSCENDENTAL: Final = frozenset(
    (
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "hypot", "fsum"),
        *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "pow"),
    )
)
FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
ORDERED_CONSUMERS: Final = frozenset(
    {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "dict", "join"}
)
"""Functions that keep the order of what they are given; sorted, len, min, max, any and all do not care."""


def sources(*folders: str) -> list[Path]:
    """Python files below folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def flight_sources(folders: tuple[str, ...] = FLIGHT_FOLDERS) -> list[Path]:
    """Python files of flight logic."""
    return sources(*(f"flightos/{folder}" for folder in folders))


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    """A path as the reader knows it."""
    return str(path.relative_to(ROOT))


def imported_modules(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Top-level names of imported packages, with their lines; imports for type checking included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def test_flight_logic_imports_no_clock_socket_thread_or_random_source() -> None:
    """Also inside functions, where import contracts may not look."""
    found = [
        f"{name_of(path)}:{line} imports {module}"
        for path in flight_sources()
        for line, module in imported_modules(parsed(path))
        if module in FORBIDDEN_MODULES
    ]
    assert found == []


def test_files_are_split_before_they_grow_too_long() -> None:
    """A file is one idea: at most 400 lines."""
    long = {
        name_of(path): lines
        for path in [*sources("flightos", "sil", "tests"), *sorted((ROOT / "native").rglob("*.[ch]"))]
        if (lines := path.read_text(encoding="utf-8").count("\n")) > FILE_LINES_MAX
    }
    assert long == {}


def test_functions_fit_on_a_screen() -> None:
    """At most 60 lines, signature and docstring included."""
    long = {
        f"{name_of(path)}:{node.lineno} {node.name}": lines
        for path in sources("flightos", "sil")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_every_module_and_public_class_says_what_it_is() -> None:
    """A docstring on each module, public class and public function of the package."""
    silent = []
    for path in sources("flightos", "sil"):
        tree = parsed(path)
        if tree.body and ast.get_docstring(tree) is None:
            silent.append(name_of(path))
        for node in tree.body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
                continue
            if ast.get_docstring(node) is None:
                silent.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert silent == []


class OrderOfSets(ast.NodeVisitor):
    """Finds uses of a set whose result depends on its order, and calls of hash() and id()."""

    def __init__(self) -> None:
        self.set_names: list[frozenset[str]] = [frozenset()]
        self.found: list[tuple[int, str]] = []

    def _is_set(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id in ("set", "frozenset")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
            return self._is_set(node.left) or self._is_set(node.right)
        return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in self.set_names[-1]

    def _check(self, node: ast.expr, what: str) -> None:
        if self._is_set(node):
            self.found.append((node.lineno, f"{what} {ast.unparse(node)}"))

    def _enter(self, node: ast.FunctionDef | ast.Module) -> None:
        """Names that are sets by annotation or assignment anywhere in the scope."""
        names = set(self.set_names[-1])
        for inner in ast.walk(node):
            if isinstance(inner, ast.AnnAssign | ast.arg) and inner.annotation is not None:
                target = inner.arg if isinstance(inner, ast.arg) else ast.unparse(inner.target)
                if ast.unparse(inner.annotation).partition("[")[0] in ("set", "frozenset", "AbstractSet"):
                    names.add(target)
            elif isinstance(inner, ast.Assign) and self._is_set(inner.value):
                names.update(ast.unparse(target) for target in inner.targets)
        self.set_names.append(frozenset(names))
        self.generic_visit(node)
        self.set_names.pop()

    def visit_Module(self, node: ast.Module) -> None:
        self._enter(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._enter(node)

    def visit_For(self, node: ast.For) -> None:
        self._check(node.iter, "iterates over")
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self._check(node.value, "unpacks")
        self.generic_visit(node)

    def _visit_comprehension(self, node: ast.ListComp | ast.DictComp) -> None:
        for generator in node.generators:
            self._check(generator.iter, "iterates over")
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._visit_comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._visit_comprehension(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if isinstance(node.func, ast.Name) and name in ("hash", "id"):
            self.found.append((node.lineno, f"calls {name}()"))
        if name in ORDERED_CONSUMERS:
            for argument in node.args:
                self._check(argument, f"{name}() of")
        if name == "pop" and isinstance(node.func, ast.Attribute) and not node.args:
            self._check(node.func.value, "pops from")
        self.generic_visit(node)


def order_faults(source: str) -> list[tuple[int, str]]:
    """Line and description of each use of an order that a set does not have."""
    visitor = OrderOfSets()
    visitor.visit(ast.parse(source))
    return visitor.found


def test_nothing_in_flight_depends_on_the_order_of_a_set() -> None:
    """Sets order by hash, which differs between processes: the trace would."""
    found = [
        f"{name_of(path)}:{line} {what}"
        for path in flight_sources()
        for line, what in order_faults(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "for x in {1, 2}: pass",
        "x = [y for y in set(z)]",
        "x: set[int] = f()\nlist(x)",
        "def f(peers: set[int]):\n    return tuple(peers)",
        "class A:\n    def f(self):\n        self.x = set()\n        for y in self.x: pass",
        "x = set(a)\nfor y in x - {1}: pass",
        "print(*{1, 2})",
        "key = hash(x)",
        "key = id(x)",
        "x = set(a)\nx.pop()",
    ],
)
def test_the_rule_on_sets_sees_what_it_should(source: str) -> None:
    """The rule itself can fail."""
    assert order_faults(source) != []


@pytest.mark.parametrize(
    "source",
    ["sorted({1, 2})", "x = 1 in {1, 2}", "len(set(a))", "x = [1]\nlist(x)", "any(y for y in {1, 2})"],
)
def test_the_rule_on_sets_lets_pass_what_does_not_depend_on_order(source: str) -> None:
    """Membership, counting and sorting are fine."""
    assert order_faults(source) == []


def test_decisions_use_no_transcendental_functions() -> None:
    """Their last bit differs between math libraries; + - * / and sqrt are exact everywhere."""
    found = []
    for path in flight_sources(DECISION_FOLDERS):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module in ("math", "cmath"):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("math", "np", "numpy"):
                names = [node.attr]
            else:
                continue
            found += [f"{name_of(path)}:{node.lineno} {name}" for name in names if name in TRANSCENDENTAL]
    assert found == []
