"""A Functions host: the HTTP and timer part of Azure Functions around Microsoft's own Python worker library.

It indexes the app and invokes its functions exactly as the worker does in Azure, through
`azure_functions_runtime`; what is ours is the thin part that Azure runs in .NET: routes, keys, CORS, cookies
and timers. It knows nothing about the app that it serves, and it is not for production.

`create_host(app, settings)` gives an ASGI application, for tests and for uvicorn; `python -m local.host`
serves one.
"""

from local.host.indexing import IndexingError
from local.host.schedule import Schedule
from local.host.server import create_host
from local.host.settings import HostSettings, SettingsError

__all__ = ["HostSettings", "IndexingError", "Schedule", "SettingsError", "create_host"]
