"""The house's own rules, held by tests: what lives where, how long it may be, and that every list is complete."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import pytest

import worker
from dashify.domain.accounts import PERMISSIONS
from dashify.domain.jobs import QUEUE_OF, Job, Queue
from dashify.local import stack
from dashify.settings import LIMIT_PREFIX, PREFIX, QUEUE_PREFIX, QUEUES, Limits, Settings
from tools.check import BIN

ROOT = Path(__file__).resolve().parents[1]
ENTRIES = [ROOT / name for name in ("app.py", "wsgi.py", "worker.py", "gunicorn.conf.py")]
MODULES = sorted((ROOT / "dashify").rglob("*.py")) + sorted((ROOT / "tools").rglob("*.py")) + ENTRIES
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "core"}
# python-socketio calls its own a manager, and ours is one.
KNOWN_BY_THEIR_LIBRARY = {"dashify/realtime/manager.py"}

# The constructors that open connections, and what each must be told so that no call waits for ever.
TIMEOUTS: dict[str, set[str]] = {
    "MongoClient": {"serverSelectionTimeoutMS", "connectTimeoutMS", "socketTimeoutMS"},
    "BlockingConnectionPool.from_url": {"socket_timeout", "socket_connect_timeout", "timeout"},
    "redis.BlockingConnectionPool": {"socket_timeout", "socket_connect_timeout", "timeout"},
    "ConnectionPool.from_url": {"socket_timeout", "socket_connect_timeout"},
    "Redis.from_url": {"socket_timeout", "socket_connect_timeout"},
    "redis.from_url": {"socket_timeout", "socket_connect_timeout"},
    # With a pool, whose own limits count.
    "redis.Redis": {"connection_pool"}, "Redis": {"connection_pool"},
    "QdrantClient": {"timeout"}, "requests.get": {"timeout"}, "requests.post": {"timeout"},
    "smtplib.SMTP": {"timeout"}, "smtplib.SMTP_SSL": {"timeout"},
    "client.HTTPConnection": {"timeout"}, "client.HTTPSConnection": {"timeout"}, "httpx.Client": {"timeout"},
    "ollama.Client": {"timeout"}, "request.urlopen": {"timeout"}, "urlopen": {"timeout"},
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in MODULES:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_the_import_contracts_hold() -> None:
    done = subprocess.run([BIN / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_import_is_hidden_inside_a_function() -> None:
    hidden = [f"{named(path)}:{inner.lineno}" for path, tree in trees() for node in ast.walk(tree)
              if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for inner in ast.walk(node)
              if isinstance(inner, (ast.Import, ast.ImportFrom)) and "dashify" in ast.unparse(inner)]
    assert not hidden


def test_every_module_begins_the_same_way() -> None:
    for path, tree in trees():
        assert ast.get_docstring(tree), f"{named(path)} does not say what belongs in it"
        if any(not isinstance(node, ast.Expr) for node in tree.body):
            assert "from __future__ import annotations" in path.read_text(encoding="utf-8"), named(path)


def test_no_module_and_no_function_is_too_long() -> None:
    long = [f"{named(path)}: {len(path.read_text().splitlines())} lines" for path in MODULES
            if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_MODULE]
    long += [f"{named(path)}: {node.name} has {node.end_lineno - node.lineno + 1} lines" for path, tree in trees()
             for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
             and node.end_lineno and node.end_lineno - node.lineno >= LONGEST_FUNCTION]
    assert not long


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = {named(path) for path in MODULES if path.stem in BANNED or path.parent.name in BANNED}
    assert found <= KNOWN_BY_THEIR_LIBRARY


def test_only_the_settings_read_the_environment() -> None:
    readers = {named(path) for path, tree in trees() for node in ast.walk(tree)
               if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv")
               and ast.unparse(node.value) == "os" and path.is_relative_to(ROOT / "dashify") | (path in ENTRIES)}
    assert readers == {"dashify/settings.py"}


def test_no_client_is_made_without_time_limits() -> None:
    endless = []
    for path, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = ".".join(ast.unparse(node.func).split(".")[-2:])
            given = {keyword.arg for keyword in node.keywords}
            # A Qdrant client on a folder talks to nobody.
            if name in TIMEOUTS and not TIMEOUTS[name] <= given and "path" not in given:
                endless.append(f"{named(path)}:{node.lineno}: {name} lacks {sorted(TIMEOUTS[name] - given)}")
    assert not endless


@pytest.mark.parametrize("job", Job)
def test_every_job_has_a_function_and_a_queue(job: Job) -> None:
    module, _, name = job.value.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
    assert QUEUE_OF[job] in Queue


def test_every_queue_has_a_worker_on_a_laptop() -> None:
    assert set(stack.QUEUES) == {queue.value for queue in Queue}
    assert len(stack.QUEUES) == len(set(stack.QUEUES))
    for queue in Queue:
        assert queue in worker.USAGE


def test_every_permission_that_is_asked_for_belongs_to_a_role() -> None:
    asked = {node.args[0].value for _, tree in trees() for node in ast.walk(tree)
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "may"
             and node.args and isinstance(node.args[0], ast.Constant)}
    assert asked
    assert asked <= set().union(*PERMISSIONS.values())


def documented(prefix: str) -> dict[str, str]:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return {name: default for name, default in re.findall(r"^\| `(DASHIFY_\w+)` \| `?(.*?)`? \|", text, re.MULTILINE)
            if next(known for known in (LIMIT_PREFIX, QUEUE_PREFIX, PREFIX) if name.startswith(known)) == prefix}


@pytest.mark.parametrize(("prefix", "kind"), [(PREFIX, Settings), (LIMIT_PREFIX, Limits)])
def test_the_documents_list_exactly_the_settings_with_their_defaults(prefix: str, kind: Any) -> None:
    def default(spec: Field[Any]) -> str:
        return "none, required" if spec.default is MISSING else str(spec.default) or "empty"

    assert documented(prefix) == {prefix + spec.name.upper(): default(spec) for spec in fields(kind)
                                  if spec.name not in ("limits", "queues")}


def test_the_documents_list_every_setting_of_every_queue() -> None:
    assert documented(QUEUE_PREFIX) == {f"{QUEUE_PREFIX}{queue.upper()}_{spec.name.upper()}": str(
        getattr(policy, spec.name)) for queue, policy in QUEUES.items() for spec in fields(policy)}
    assert set(QUEUES) == {queue.value for queue in Queue}


def test_a_newcomer_finds_every_room_and_every_target() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = [named(path.parent) for path in (ROOT / "dashify").glob("*/__init__.py")]
    assert len(rooms) > 5
    assert not [room for room in rooms if f"`{room}/`" not in readme]
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    promised = set(re.findall(r"\bmake ([a-z-]+)", readme.split("## What is not there yet")[0]))
    assert promised <= set(re.findall(r"make ([a-z-]+)", listed))


def test_the_web_apps_packages_are_pinned_and_come_from_no_named_place() -> None:
    package = json.loads((ROOT / "frontend" / "package.json").read_text(encoding="utf-8"))
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned: {version}"
    lock = (ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "://registry" not in lock


def test_every_python_package_is_pinned() -> None:
    for path in ROOT.glob("requirements*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[A-Za-z0-9._-]+(\[\w+\])?==[A-Za-z0-9.]+", line), f"{path.name}: {line}"


def test_nothing_is_left_for_later() -> None:
    later = re.compile("TO" + "DO|FIX" + "ME|XX" + "X")
    sources = MODULES + sorted((ROOT / "tests").rglob("*.py")) + [
        path for path in sorted((ROOT / "frontend" / "src").rglob("*")) if path.suffix in (".ts", ".tsx", ".css")]
    assert not [named(path) for path in sources if later.search(path.read_text(encoding="utf-8"))]


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    excuses = re.compile(r"mark\.(skip|xfail)|pytest\.(" + "skip|xfail|importorskip" + r")\(")
    assert not [named(path) for path in (ROOT / "tests").rglob("*.py") if excuses.search(path.read_text())
                and path != Path(__file__)]


def test_the_settings_load_neither_flask_nor_a_driver() -> None:
    program = ("import sys, dashify.settings, dashify.domain.jobs; "
               "print([name for name in ('flask', 'pymongo', 'redis', 'gevent') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_collector_leaves_out_what_every_instance_imports() -> None:
    told = "import gc, wsgi; print(gc.isenabled(), gc.get_freeze_count() > 100_000, len(gc.get_objects()) < 1_000)"
    found = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True,
                           env={"DASHIFY_SECRET_KEY": "only for this test, and long enough"})
    assert found.stdout.split() == ["True"] * 3, found.stderr


def test_several_rows_are_changed_in_a_transaction() -> None:
    """Decision 020: by `together` or `in_parts`, which give the transaction."""
    calls = [(named(path), call) for path in MODULES for call in ast.walk(ast.parse(path.read_text()))
             if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
             and call.func.attr in ("update_many", "delete_many")]
    assert calls
    assert [f"{name}:{call.lineno}" for name, call in calls
            if not any(one.arg == "session" and ast.unparse(one.value) == "tx" for one in call.keywords)] == []
