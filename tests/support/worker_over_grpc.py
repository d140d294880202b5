"""A worker that gets the same messages as from Azure, in a separate process: `init`, `placeholder` or `reloaded`.

Stdin is lines of JSON: first the settings and the folder of the app, then names of functions to call. Stdout is one
line, with the cookies of each response in the message to the host. Every message is serialised and parsed.

In placeholder mode the worker starts without app and settings, like the instances that Azure keeps ready, and receives
both when it is needed; it may then have imported its library again, because the app's packages come first on the path.
"""

import asyncio
import importlib
import json
import os
import sys
import tempfile
from types import SimpleNamespace
from typing import Any, Self

from function_rpc import protos

PROTOS = protos()


class Worker:
    """Microsoft's library behind the messages that come from the host."""

    def __init__(self) -> None:
        self._import_library()

    def _import_library(self) -> None:
        """Import it as if for the first time (`DependencyManager._remove_module_cache` of the worker)."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "azure_functions_runtime"]:
            del sys.modules[name]
        self._library = importlib.import_module("azure_functions_runtime")
        self._library.start_threadpool_executor()

    async def asked(self, kind: str, request: Any) -> Any:
        """The library's response to one message."""
        sent = PROTOS.StreamingMessage(request_id="1", **{kind: request}).SerializeToString()
        message = PROTOS.StreamingMessage.FromString(sent)
        properties = {"protos": PROTOS, "host": "127.0.0.1"}
        answer = await getattr(self._library, kind)(SimpleNamespace(request=message, properties=properties))
        answer = type(answer).FromString(answer.SerializeToString())
        assert answer.result.status == PROTOS.StatusResult.Success, answer
        return answer

    async def start(self, folder: str, settings: dict[str, str], mode: str) -> Self:
        """Start the worker and let it index the app's functions."""
        placeholder = mode != "init"
        capabilities = {"RpcHttpTriggerMetadataRemoved": "1"}
        environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}} | settings
        with tempfile.TemporaryDirectory() as nothing_yet:
            if not placeholder:
                os.environ.update(settings)
                sys.path.append(folder)
            first = PROTOS.WorkerInitRequest(
                host_version="4",
                capabilities=capabilities,
                function_app_directory=nothing_yet if placeholder else folder,
            )
            await self.asked("worker_init_request", first)
            if placeholder:
                assert not await self.functions()
                if mode == "reloaded":
                    self._import_library()
                reload = PROTOS.FunctionEnvironmentReloadRequest(
                    environment_variables=environment, function_app_directory=folder
                )
                await self.asked("function_environment_reload_request", reload)
        return self

    async def functions(self) -> dict[str, Any]:
        """The functions that the host would see, by their names."""
        found = await self.asked("functions_metadata_request", PROTOS.FunctionsMetadataRequest())
        return {function.name: function for function in found.function_metadata_results}

    async def cookies(self, name: str) -> list[dict[str, Any]]:
        """Call an HTTP function by GET; its cookies, as they are in the message."""
        function = (await self.functions())[name]
        trigger = next(binding for raw in function.raw_bindings if "type" in (binding := json.loads(raw)))
        http = PROTOS.RpcHttp(
            method="GET", url=f"https://sso.example/{trigger['route']}", headers={"host": "sso.example"}
        )
        invocation = PROTOS.InvocationRequest(
            invocation_id="5f0e0000-0000-4000-8000-000000000001",
            function_id=function.function_id,
            input_data=[PROTOS.ParameterBinding(name=trigger["name"], data=PROTOS.TypedData(http=http))],
        )
        answer = await self.asked("invocation_request", invocation)
        return [
            {"name": cookie.name, **{field.name: str(value) for field, value in cookie.ListFields()}}
            for cookie in answer.return_value.http.cookies
        ]


async def main() -> None:
    """Serve stdin."""
    setup = json.loads(sys.stdin.readline())
    worker = await Worker().start(setup["folder"], setup["settings"], sys.argv[1])
    found = [await worker.cookies(json.loads(line)) for line in sys.stdin]
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    asyncio.run(main())
