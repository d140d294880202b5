"""Indexing: from a directory with a `function_app.py`, or an app object, to functions to invoke.

The worker library does the work in the order of its own `worker_init_request`: set up telemetry if a setting asks
for it, load the binding registry, import the app, validate every function's signature, produce the host's metadata. In
Azure that metadata is a protobuf message; `_Protos` gives the library plain classes of the same shape instead. This
module knows the worker's internals so that no other has to, and it is not where requests are handled: see
`local.host.server`.
"""

import importlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Protocol, cast
from uuid import uuid4

from azure.functions import FunctionRegister
from azure_functions_runtime.bindings.meta import load_binding_registry
from azure_functions_runtime.functions import Registry
from azure_functions_runtime.handle_event import _functions as _worker_functions
from azure_functions_runtime.loader import index_function_app, process_indexed_function
from azure_functions_runtime.otel import initialize_azure_monitor, otel_manager
from azure_functions_runtime.utils.app_setting_manager import is_envvar_true
from azure_functions_runtime.utils.constants import PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY

_SCRIPT: Final = "function_app.py"
_WORKER: Final = cast("Registry", _worker_functions)


class IndexingError(Exception):
    """The app cannot be indexed. In Azure it would show as "0 functions found" and answer 404 everywhere."""


@dataclass(frozen=True, slots=True)
class IndexedFunction:
    """A function as the host sees it: the worker's id for it, its trigger and the trigger's parameter."""

    name: str
    function_id: str
    trigger: Mapping[str, object]

    @property
    def trigger_type(self) -> str:
        """`httpTrigger` or `timerTrigger`."""
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        """The name of the handler's parameter that the trigger fills."""
        return str(self.trigger["name"])


class _Metadata(Protocol):
    name: str
    function_id: str
    raw_bindings: Iterable[str]


class _BindingInfo(SimpleNamespace):
    """Directions as in Microsoft's FunctionRpc.proto, which azure.functions' enumeration follows."""

    # `in` is a keyword, and the library never asks for it by name.
    out = 1
    inout = 2
    undefined = 0


class _Protos:
    BindingInfo = _BindingInfo
    RpcFunctionMetadata = SimpleNamespace
    RpcRetryOptions = SimpleNamespace


def index(app: Path | FunctionRegister) -> tuple[IndexedFunction, ...]:
    """Index `app`: a directory with a function_app.py, or an app object that nothing has indexed yet.

    Raises IndexingError, with the app's own exception as its cause, when the worker would not load it or when
    the app has a trigger or binding that this host does not serve.
    """
    if is_envvar_true(PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY) and not otel_manager.get_azure_monitor_available():
        initialize_azure_monitor()
    load_binding_registry()
    registry = Registry()
    try:
        directory, functions = (app, _import_app(app)) if isinstance(app, Path) else (Path.cwd(), app.get_functions())
        metadata, _ = process_indexed_function(_Protos, registry, functions, str(directory))
    except IndexingError:
        raise
    except Exception as fault:
        raise IndexingError(f"{_SCRIPT} cannot be indexed: {type(fault).__name__}: {fault}") from fault
    return tuple(_adopt(registry, entry) for entry in metadata)


def _import_app(directory: Path) -> Iterable[object]:
    script = directory / _SCRIPT
    if not script.is_file():
        raise IndexingError(f"{directory} has no {_SCRIPT}.")
    # As in the worker, the app's root comes last: a dependency with a module of the same name would win there
    # too.
    root = directory.resolve()
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != root] + [str(root)]
    sys.modules.pop(script.stem, None)
    importlib.invalidate_caches()
    functions: Iterable[object] = index_function_app(str(script))
    found = Path(sys.modules[script.stem].__file__ or "").resolve()
    if found != root / _SCRIPT:
        raise IndexingError(f"Another {_SCRIPT} was imported: {found} stands before {root} on sys.path.")
    return functions


def _adopt(registry: Registry, metadata: _Metadata) -> IndexedFunction:
    """Hand one function to the worker, under an id of its own.

    The worker derives ids from names and serves one app per process; tests serve several side by side.
    """
    bindings = [json.loads(raw) for raw in metadata.raw_bindings]
    trigger = next((binding for binding in bindings if binding["type"] in {"httpTrigger", "timerTrigger"}), None)
    unknown = [binding["type"] for binding in bindings if binding is not trigger and binding["type"] != "http"]
    if trigger is None or unknown:
        raise IndexingError(
            f"{metadata.name}: this host serves HTTP and timer triggers only, not {', '.join(unknown)}."
        )
    info: Any = registry.get_function(metadata.function_id)
    adopted = _WORKER.add_func_to_registry_and_return_funcinfo(
        function=info.func,
        function_name=info.name,
        function_id=str(uuid4()),
        directory=info.directory,
        requires_context=info.requires_context,
        has_explicit_return=info.has_return,
        has_implicit_return=False,
        deferred_bindings_enabled=info.deferred_bindings_enabled,
        settlement_client_arg=info.settlement_client_arg,
        input_types=info.input_types,
        output_types=info.output_types,
        return_type=info.return_type,
    )
    return IndexedFunction(adopted.name, adopted.function_id, trigger)
