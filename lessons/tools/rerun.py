"""Exercises run anew: each answer in a process of its own, judged by the course's checks with seeds nobody has seen.

Of a notebook only what an answer needs is run: its own cell, the learner's earlier answers and cells that it uses, and
from all other cells the course's text, whatever the learner's copy says. The process has no network, may start no
programs and write no files, and has limits of computing time and memory. An answer that changes the checks or PyTorch
is refused. This meets accidents and easy tricks; against an attacker use a container, too.
"""

import ast
import dis
import importlib
import inspect
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
HEADING = re.compile(r"^#+ +(Exercise \d+\b.*)$", flags=re.MULTILINE)
NOT_THERE = "– the exercise's cell is not in the notebook"
FORBIDDEN = (
    *("socket.", "subprocess.", "shutil.", "gc.", "pty."),
    *("os.exec", "os.fork", "os.spawn", "os.posix_spawn", "os.system", "os.kill", "os.startfile"),
    *("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"),
    *("os.putenv", "os.unsetenv"),
)
BYTES = 4 << 30  # of memory for an answer
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PARSING = threading.Lock()  # Python 3.11 may raise SystemError where two threads are in ast.parse


class Exercise(NamedTuple):
    """What the course says of an exercise: its heading, its cell, and `check(answer)`."""

    heading: str
    cell: str
    check: str
    answer: str


def exercises(lesson: NotebookNode) -> list[Exercise]:
    """The exercises of a lesson, from the course's own notebook for learners."""
    found, heading = [], ""
    for cell in lesson.cells:
        heading = next(reversed(HEADING.findall(cell.source)), heading)
        if cell.cell_type == "code" and "exercise" in cell.metadata.get("tags", ()):
            call = next(filter(None, map(_check, reversed(_statements(cell.source)))))
            found.append(Exercise(heading, cell.id, call.func.attr, ast.unparse(call.args[0])))
    return found


def code_of(exercise: Exercise, lesson: NotebookNode, handed_in: NotebookNode) -> str | None:
    """The program that makes a learner's answer; None: its cell is not there.

    Raises:
        SyntaxError: the answer's own cell is no Python.
    """
    ours = {cell.id: cell for cell in lesson.cells if cell.cell_type == "code"}
    asked = {each.cell for each in exercises(lesson)}
    program = [node for name in ours if name not in asked for node in _statements(ours[name].source) if _imports(node)]
    for cell in _with_ids(handed_in, lesson):
        try:
            theirs = _statements((ours[cell.id] if cell.id in ours and cell.id not in asked else cell).source)
        except SyntaxError:
            if cell.id == exercise.cell:
                raise
            continue
        program += [node for node in theirs if not _check(node)]
        if cell.id == exercise.cell:
            return ast.unparse(ast.Module(_slice(program, {exercise.answer}), []))
    return None


def _with_ids(handed_in: NotebookNode, lesson: NotebookNode) -> list[NotebookNode]:
    """Code cells; if a program has renamed all of them, exercises are found by their tags, in order."""
    cells = [cell for cell in handed_in.cells if cell.cell_type == "code"]
    names = [each.cell for each in exercises(lesson)]
    if not {cell.get("id") for cell in cells} & set(names):
        tagged = [cell for cell in cells if "exercise" in cell.metadata.get("tags", ())]
        for cell, name in zip(tagged, names, strict=False):
            cell["id"] = name
    return [cell if "id" in cell else NotebookNode(cell, id="") for cell in cells]


def _statements(source: str) -> list[ast.stmt]:
    with PARSING:
        return ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE)).body


def _imports(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _check(node: ast.stmt) -> ast.Call | None:
    """The call `check.something(answer)` in a statement that only shows it."""
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call)) if isinstance(node, ast.Expr) else ()
    return next((call for call in calls if re.match(r"check\.\w+$", ast.unparse(call.func))), None)


def _slice(program: list[ast.stmt], wanted: set[str]) -> list[ast.stmt]:
    """The statements that the names need, going backward."""
    modules = {name for node in program if _imports(node) for name in _names(node)[1]}
    kept = []
    for node in reversed(program):
        loaded, stored = _names(node)
        if wanted & (stored | _changed(node, modules)):
            kept.append(node)
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Assign):
                wanted = wanted - stored
            wanted = wanted | loaded
    return kept[::-1]


def _names(node: ast.stmt) -> tuple[set[str], set[str]]:
    """Names of the notebook that a statement reads, also inside of functions, and those that it gives a value."""
    loaded, stored = set(), set()
    codes = [compile(ast.Module([node], []), "", "exec")]
    for number, code in enumerate(codes):
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                loaded.add(step.argval)
            elif step.opname == "STORE_GLOBAL" or (step.opname == "STORE_NAME" and number == 0):
                stored.add(step.argval)
        codes += [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return loaded, stored


def _changed(node: ast.stmt, modules: set[str]) -> set[str]:
    """Names of what a statement may change in place: `x[0] = 1`, `x.y = 1`, or `x.append(1)` unless x is a module."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return set()
    nodes = list(ast.walk(node))
    stores = [each for each in nodes if isinstance(getattr(each, "ctx", None), ast.Store | ast.Del)]
    calls = [each.func for each in nodes if isinstance(each, ast.Call)]
    roots = [{_root(each) for each in kind if not isinstance(each, ast.Name)} for kind in (stores, calls)]
    return roots[0] | (roots[1] - modules)


def _root(node: ast.AST) -> str:
    """The name at the beginning of `name.more[0].more`."""
    return re.split(r"[.\[(]", ast.unparse(node))[0]


# --- the teacher's side -----------------------------------------------------------------------------------------------


def verdict(code: str, lesson: str, exercise: Exercise, seeds: list[int], seconds: int) -> str:
    """What the course's check says to an answer, run in a process of its own: "✓ …", "✗ …" or "… …".

    Args:
        code: from `code_of`. `lesson`: such as "05_adain". `seeds`: the answer must pass with each.
        seconds: of computing; ten times as long by the clock. Memory is limited to `BYTES`, where the system can.
    """
    token = secrets.token_hex(16)
    task = {"code": code, "answer": exercise.answer, "module": lesson[3:], "check": exercise.check, "seeds": seeds}
    task |= {"token": token, "seconds": seconds, "bytes": BYTES}
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    with tempfile.TemporaryDirectory() as scratch:
        environment = kept | {"HOME": scratch, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
        try:
            done = subprocess.run(
                [*_without_network(), sys.executable, "-B", __file__],
                input=json.dumps(task), capture_output=True, encoding="utf-8", errors="replace",
                cwd=scratch, env=environment, timeout=10 * seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"✗ stopped: it had not ended after {10 * seconds} s"
    for line in done.stdout.splitlines():
        if line.startswith(token):
            return json.loads(line.removeprefix(token))
    if done.returncode in (-24, -9, 137, 152):  # SIGXCPU and SIGKILL, as a process or its parent reports them
        return f"✗ stopped: it had not ended after {seconds} s of computing"
    return f"✗ the process ended without an answer (status {done.returncode})"


def _without_network() -> list[str]:
    """On Linux a network namespace with nothing in it, where the system allows one."""
    words = ["unshare", "--user", "--map-root-user", "--net"]
    works = shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0
    return words if works else []


# --- inside the process -----------------------------------------------------------------------------------------------


def judge(code: str, answer: str, module: str, check: str, seeds: list[int]) -> str:
    """Run an answer and ask its check, with each seed."""
    from stylelearn import checks
    from stylelearn.weights import seeded

    examine = getattr(_checks_of(module), check)
    told, names = checks.Verdict(None, checks.NOT_SOLVED), {"__name__": "__main__"}
    before = dict(_guarded())
    try:
        exec(compile(code, "<answer>", "exec"), names)
        for seed in seeds:
            if changed := [name for name, value in _guarded() if name in before and before[name] is not value]:
                return f"✗ your code changes {changed[0]}"
            checks.seeded = lambda _, seed=seed: seeded(seed)
            told = examine(names.get(answer))
            checks.seeded = before["stylelearn.checks.seeded"]
            if told.passed is not True:
                break
        changed = [name for name, value in _guarded() if name in before and before[name] is not value]
        return f"✗ your code changes {changed[0]}" if changed else str(told)
    except BaseException as error:  # SystemExit and KeyboardInterrupt, too
        return f"✗ your code stopped with {type(error).__name__}: {error}"


def _checks_of(module: str) -> types.ModuleType:
    """A lesson's checks. Libraries that wrap functions of PyTorch are loaded first, so no answer seems to do it."""
    for name in ("torch._dynamo", "lightning_fabric"):  # torch.manual_seed and torch.compile
        importlib.import_module(name)
    return importlib.import_module(f"stylelearn.checks.{module}")


def _guarded() -> Iterator[tuple[str, Any]]:
    """What an answer must leave alone: everything in the course's modules and the functions of PyTorch and Python."""
    course = [name for name in sys.modules if name.split(".")[0] == "stylelearn"]
    for name in [*course, "torch", "torch.nn.functional", "math", "builtins"]:
        for key, value in list(vars(sys.modules[name]).items()):
            if not key.startswith("__"):
                yield f"{name}.{key}", value
            if isinstance(value, types.FunctionType) and name in course:
                yield f"{name}.{key}.__code__", value.__code__
    tensor = sys.modules["torch"].Tensor
    for key in dir(tensor):
        yield f"torch.Tensor.{key}", inspect.getattr_static(tensor, key, None)


def _confine(seconds: int, size: int) -> None:
    """From here on: limits of time and memory, no programs, no network, no files to write."""
    try:
        import resource
    except ImportError:  # Windows
        pass
    else:
        used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if event.startswith(FORBIDDEN) or writes:
            raise PermissionError(f"{event} is not allowed in an answer")

    sys.addaudithook(refuse)


def main() -> None:
    """Read a task, judge it, and write the verdict behind the token."""
    import torch

    task = json.load(sys.stdin)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    torch.set_num_threads(1)
    _checks_of(task["module"])  # before it may open no folder any more
    _confine(task["seconds"], task["bytes"])
    said = judge(task["code"], task["answer"], task["module"], task["check"], task["seeds"])
    out.write(f"\n{task['token']}{json.dumps(said)}\n")
    out.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
