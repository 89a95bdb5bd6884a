"""Nobody reads another workspace's rows by mistake, and nobody changes what people own without an event."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from checks.tree import Function, Source, Tree, Violation

STORE = "src/keyrack/store/"

# Functions of the store that take a connection and no workspace, and why. `noun` stands for all functions of the module.
UNSCOPED = {
    "call_counts.forget_uses_before": "nobody shows uses that old, whosever they are",
    "call_counts.settle": "each group says whose calls it counts",
    "call_counts.take": "what was counted with the lines of all workspaces is settled together",
    "call_counts.waiting": "what was counted with the lines of all workspaces is settled together",
    "call_counts.workspace_ids": "retention asks whose counts there are",
    "claims": "of the work of all workspaces each process takes its part",
    "changes": "the one revision of the whole store that every cache follows; its rows hold ids and nothing else",
    "connector_calls.held": "one job lets calls of all workspaces go on",
    "connector_calls.prune": "calls of all workspaces are kept for the same time",
    "deliveries.workspace_ids": "retention asks whose deliveries there are",
    "delivery_lanes": "each endpoint is a lane, whosever it is",
    "docs_feedback": "readers of the docs belong to no workspace",
    "event_cursors": "a reader reads the events of all workspaces",
    "events.above": "events of all workspaces share one order",
    "events.by_ids": "deliveries of all workspaces are sent together; each names its event",
    "events.newest": "events of all workspaces share one order",
    "events.newest_of_all": "events of all workspaces share one order",
    "events.arrived": "one loop of a process asks for all calls that wait there",
    "events.number": "events of all workspaces share one order",
    "lookup": "the closed list of finders that run before a workspace is known; each names its callers",
    "oauth_lookup": "as lookup: by a digest, a client's id or a person",
    "oauth_tokens.prune": "what is over is nobody's",
    "outbox": "one job sends the mail of all workspaces",
    "recipients": "deliveries of all workspaces are derived and sent together; each names its endpoint",
    "replays.prune": "answers of all workspaces are kept for the same time",
    "quotas.forget_before": "windows of all workspaces end by the calendar",
    "request_logs.delete_terms_before": "the terms of all workspaces go by the hour, when nobody keeps that time's lines",
    "request_logs.missing": "whoever moves lines asks which of them are there; each says whose it is",
    "request_logs.search_operators_log": "its calls belong to no workspace",
    "request_logs.workspace_ids": "retention asks whose lines there are",
    "sessions.prune": "what nobody can use any more is nobody's",
    "spool_positions": "a segment holds what one process logged, for whatever workspaces",
}

# Rows that are no property of people, written without an event. `noun` stands for all functions of the module.
BOOKKEEPING = {
    "attempts": "what was sent is no change",
    "call_counts": "what was called is no change",
    "claims": "who sends what at this moment is nobody's",
    "changes.prune": "what no cache can still ask for is nobody's",
    "connector_calls": "what events become at vendors is no change of anybody's",
    "credential_uses": "moved here with the request log",
    "deliveries": "what was sent, and is sent again, changes nothing that people own",
    "delivery_lanes": "what follows from events for endpoints is no change",
    "docs_feedback": "what readers say is the operator's, and changes nothing",
    "endpoint_health": "how an endpoint fares is no change of anybody's",
    "event_cursors": "how far a reader has come is nobody's",
    "events.number": "an event's place in the order says nothing about what people own",
    "existing": "it holds a workspace while its things are counted, and leaves the row as it was",
    "lookup.add_set_up_link": "it lets the first person in, before there is a workspace that could have events",
    "lookup.end_sessions": "as sessions",
    "lookup.use_set_up_link": "a link is used up as a part of signing in",
    "lookup.use_portal_link": "a link is used up as a part of signing in",
    "lookup.use_sign_in_link": "a link is used up as a part of signing in",
    "oauth_lookup.keep_app": "an app that no workspace registered is nobody's",
    "oauth_lookup.use_code": "a code is used up as a part of its grant, and is no change of it",
    "oauth_lookup.use_refresh_token": "as codes",
    "oauth_tokens.add_access_token": "a refresh makes new tokens of a grant, and is no change of it",
    "oauth_tokens.add_app_token": "a token that an app gets for itself changes nothing that people own",
    "oauth_tokens.add_code": "as tokens",
    "oauth_tokens.add_refresh_token": "as tokens",
    "oauth_tokens.prune": "what is over is nobody's",
    "outbox": "mail that tells of a change is written with it, and is none itself",
    "quotas": "what was used of a limit, as the counters say",
    "replays": "what was answered is no change",
    "request_logs": "what was called is no change",
    "sessions": "a sign-in proves a person, and ends nothing but itself",
    "spool_positions": "they move with the request log",
}

CALLER = re.compile(r"`(keyrack\.[\w.]+)`")

# What writes rows, as SQLAlchemy calls it.
WRITES = {"insert", "update", "delete"}
WRITER_NAMES = ("add", "save", "delete")
TABLES = (
    "keyrack.store.connector_tables",
    "keyrack.store.delivery_tables",
    "keyrack.store.embed_key_tables",
    "keyrack.store.endpoint_tables",
    "keyrack.store.oauth_tables",
    "keyrack.store.replay_tables",
    "keyrack.store.token_tables",
    "keyrack.store.tables",
    "keyrack.store.traffic_tables",
)


def finders_take_the_workspace_first(tree: Tree) -> Iterator[Violation]:
    """A finder takes the workspace's id right after the connection. What adds or saves a whole object finds the workspace in it."""
    for source in _nouns(tree):
        for function in _public(source):
            arguments = function.args.posonlyargs + function.args.args
            if not arguments or not _is_connection(arguments[0]) or _is_listed(UNSCOPED, source, function):
                continue
            if len(arguments) > 1 and (arguments[1].arg == "workspace_id" or _takes_an_object(function, arguments[1])):
                continue
            yield source.violation(function, f"{function.name} takes no workspace_id after the connection")


def unscoped_finders_are_asked_by_whom_they_name(tree: Tree) -> Iterator[Violation]:
    """Each finder of lookup.py names in its docstring the modules that may call it (`keyrack.feed.look_ups`), and no other does."""
    for source in (*tree.under(f"{STORE}lookup.py"), *tree.under(f"{STORE}oauth_lookup.py")):
        for function in _public(source):
            callers = set(CALLER.findall(ast.get_docstring(function) or ""))
            if not callers:
                yield source.violation(function, f"{function.name} names no module that may call it: write `keyrack.…` into its docstring")
            for outside in _outside(tree):
                if _module(outside) not in callers:
                    yield from _uses(outside, f"keyrack.store.{_noun(source)}.{function.name}")


def only_the_store_writes_rows(tree: Tree) -> Iterator[Violation]:
    """Outside the store nobody uses what writes rows, or raw SQL. The tables themselves are behind an import contract."""
    for source in _outside(tree):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Attribute):
                names = [source.meaning(node)]
            else:
                continue
            for name in names:
                if name == "sqlalchemy.text" or _writes_rows(name):
                    yield source.violation(node, f"{name} belongs into the store")


def changes_go_through_change(tree: Tree) -> Iterator[Violation]:
    """What people own is written from manage/ alone, inside `async with change(…)` or with the Change that it gave."""
    writers = {f"keyrack.store.{_noun(source)}.{name}" for source in _nouns(tree) for name in _writers(source)}
    for source in _outside(tree):
        if source.path == "src/keyrack/manage/change.py":
            continue
        allowed = set(_inside_a_change(source)) if source.path.startswith("src/keyrack/manage/") else set()
        for node in ast.walk(source.tree):
            meaning = source.meaning(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
            if isinstance(node, ast.expr) and meaning in writers and node not in allowed:
                yield source.violation(
                    node, f"{ast.unparse(node)} writes what people own: call it in manage/, inside `async with change(…)`"
                )


def closed_lists_name_what_exists(tree: Tree) -> Iterator[Violation]:
    """The exceptions above name nothing that is gone."""
    known = {_noun(source) for source in _nouns(tree)}
    known |= {f"{_noun(source)}.{function.name}" for source in _nouns(tree) for function in _public(source)}
    for name in sorted((UNSCOPED.keys() | BOOKKEEPING.keys()) - known):
        yield Violation("checks/store.py", 1, f"{name} is excepted from a rule and does not exist in the store")


def _uses(source: Source, name: str) -> Iterator[Violation]:
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and source.meaning(node) == name:
            yield source.violation(node, f"{name} does not name {_module(source)} as one of its callers")


def _nouns(tree: Tree) -> Iterator[Source]:
    return (source for source in tree.under(STORE) if source.path.count("/") == STORE.count("/"))


def _outside(tree: Tree) -> Iterator[Source]:
    """The product without the store, and without the contract suites that prove the store by itself."""
    return (source for source in tree.under("src/keyrack/") if not source.path.startswith((STORE, "src/keyrack/testing/")))


def _noun(source: Source) -> str:
    return PurePosixPath(source.path).stem


def _module(source: Source) -> str:
    return ".".join(PurePosixPath(source.path).with_suffix("").parts[1:]).removesuffix(".__init__")


def _public(source: Source) -> list[Function]:
    return [node for node in source.tree.body if isinstance(node, Function) and not node.name.startswith("_")]


def _is_listed(names: dict[str, str], source: Source, function: Function) -> bool:
    return _noun(source) in names or f"{_noun(source)}.{function.name}" in names


def _is_connection(argument: ast.arg) -> bool:
    return _annotated(argument) == "Connection"


def _takes_an_object(function: Function, argument: ast.arg) -> bool:
    return (
        function.name.startswith(("add", "save"))
        and argument.annotation is not None
        and _annotated(argument) not in {"str", "int", "bytes"}
    )


def _writes_rows(name: str) -> bool:
    return name.startswith(("sqlalchemy.", *TABLES)) and name.rpartition(".")[2] in WRITES


def _writers(source: Source) -> set[str]:
    """The functions of a store module that write rows, by name or because they call one that does."""
    top = [node for node in source.tree.body if isinstance(node, Function)]
    functions = [function for function in top if not _is_listed(BOOKKEEPING, source, function)]
    writers = {
        function.name for function in functions if function.name.startswith(WRITER_NAMES) or _mentions(source, function, _writes_rows)
    }
    while True:
        more = {function.name for function in functions if _mentions(source, function, writers.__contains__)}
        if more <= writers:
            return writers
        writers |= more


def _mentions(source: Source, function: Function, wanted: Callable[[str], bool]) -> bool:
    return any(wanted(source.meaning(node)) for node in ast.walk(function) if isinstance(node, (ast.Name, ast.Attribute)))


def _inside_a_change(source: Source) -> Iterator[ast.AST]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AsyncWith) and any(_calls_change(source, item.context_expr) for item in node.items):
            yield from (inner for statement in node.body for inner in ast.walk(statement))
        elif isinstance(node, Function) and any(_is_change(argument) for argument in node.args.args):
            yield from ast.walk(node)


def _calls_change(source: Source, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and source.meaning(node.func).split(".")[-1] == "change"


def _is_change(argument: ast.arg) -> bool:
    return _annotated(argument) == "Change"


def _annotated(argument: ast.arg) -> str:
    """The last word of an argument's type: `Connection` for `database.Connection`."""
    return ast.unparse(argument.annotation).split(".")[-1] if argument.annotation else ""
