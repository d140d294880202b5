"""What is deployed: the worker finds its functions, the import is light, and the package stands on its own."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from local.deployable import build, deployed_files, unpacked
from local.host import HostSettings
from local.processes import ROOT

VERSION = str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
SETTINGS = {
    "SSO_PUBLIC_URL": "https://sso.example",
    "SSO_TABLES_URL": "https://store.example",
    "SSO_IDENTITY_CLIENT_ID": "5e110000-0000-4000-8000-0000000001d0",
    "SSO_ENTRA_CLIENT_ID": "a5500000-0000-4000-8000-0000000000a5",
    "SSO_ENTRA_CLIENT_SECRET": "a secret",
    "SSO_CONTROL_PANEL_ISSUER": "https://panel.example",
    "SSO_CONTROL_PANEL_AUDIENCE": "azure-sso",
    "SSO_SIGNING_KEY_URL": "https://127.0.0.1:1/keys/signing",
    "SSO_PSEUDONYM_KEY": "a pseudonym key of the tests, long enough",
}
IN_AZURE = {name: SETTINGS[name] for name in SETTINGS if name != "SSO_ENTRA_CLIENT_SECRET"}
NOT_IN_DEVELOPMENT = {"SSO_TABLES_URL", "SSO_IDENTITY_CLIENT_ID", "SSO_SIGNING_KEY_URL"}
IN_DEVELOPMENT = {name: SETTINGS[name] for name in SETTINGS if name not in NOT_IN_DEVELOPMENT} | {
    "SSO_SIGNING_KEY_FOLDER": "/nowhere/keys",
    "SSO_TABLES_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
    "TableEndpoint=http://127.0.0.1:1/a;",
}
EXPECTED = {
    "accounts": {"put_account", "get_account", "delete_account"},
    "overview": {"get_overview", "list_account_applications"},
    "connection": {
        "start_connection",
        "list_setup_links",
        "revoke_setup_link",
        "get_connection",
        "patch_connection",
        "check_connection",
        "delete_connection",
    },
    "portal": {
        "open_portal",
        "list_portal_sessions",
        "revoke_portal_session",
        "get_own_portal_session",
        "sign_out_of_portal",
    },
    "portal_pages": {"show_portal_link", "start_portal_session", "show_portal"},
    "connect": {"show_connect", "open_connect", "connect_callback"},
    "domains": {"list_domains", "switch_domain", "refresh_domains"},
    "policy": {"get_policy", "put_policy", "patch_policy", "reset_policy"},
    "exceptions": {
        "add_exceptions",
        "list_exceptions",
        "search_exceptions",
        "get_exception",
        "patch_exception",
        "delete_exception",
    },
    "audit": {"list_audit", "search_audit", "list_application_audit"},
    "links": {"list_links", "search_links", "release_links", "release_link"},
    "people": {"erase_person"},
    "applications": {
        "put_application",
        "get_application",
        "list_applications",
        "delete_application",
        "renew_application_secret",
    },
    "sign-in": {
        "authorize",
        "authorize_by_form",
        "complete_sign_in",
        "show_sso_does_not_apply",
        "start_sign_in",
    },
    "sign-out": {
        "sign_out",
        "sign_out_by_form",
        "finish_sign_out",
        "end_session",
    },
    "oauth": {
        "get_openid_configuration",
        "get_authorization_server_metadata",
        "get_jwks",
        "redeem_code",
        "revoke_token",
        "push_authorization_request",
        "get_userinfo",
        "get_userinfo_by_form",
    },
    "resolve": {"resolve_email"},
    "health": {"get_health", "get_health_cookie"},
    "openapi": {"get_openapi"},
    "panel": {"get_panel"},
    "timers": {"purge_flows", "run_duties"},
}
"""Function names by blueprint, as operators read them in the portal."""

SLOW = {
    "msal",
    "jwt",
    "aiohttp",
    "requests",
    "cryptography",
    "email_validator",
    "dns",
    "msal_extensions",
    "opentelemetry",
    "jinja2",
}
SLOW_PARTS = {"azure.core", "azure.data", "azure.identity", "azure.keyvault", "azure.monitor"}


def run(script: str, environment: dict[str, str], *, folder: Path = ROOT) -> str:
    """The output of a fresh interpreter, in which nothing but `folder` and the packages can be imported."""
    ended = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", f"import sys; sys.path.append({str(folder)!r})\n{script}"],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


INDEX = """
import json, logging
from pathlib import Path
from local.host.indexing import index
logging.disable()
print(json.dumps([[each.name, each.trigger_type] for each in index(Path({folder!r}))]))
"""


@cache
def indexed() -> dict[str, str]:
    found: list[tuple[str, str]] = json.loads(run(INDEX.format(folder=str(ROOT)), IN_DEVELOPMENT))
    assert len({name for name, _ in found}) == len(found), "a function's name is taken twice"
    return dict(found)


def test_the_worker_finds_every_function() -> None:
    assert {*indexed()} == {name for names in EXPECTED.values() for name in names}


VERBS = {"put", "get", "delete", "start", "check", "show", "open", "connect", "list", "switch", "refresh", "patch"}
VERBS |= {"reset", "add", "search", "resolve", "purge", "release", "renew", "authorize", "complete", "sign", "finish"}
VERBS |= {"end", "redeem", "run", "erase", "push", "revoke"}


def test_a_function_is_named_by_what_it_does() -> None:
    """And never `admin…`, which are the host's own addresses."""
    assert {name.partition("_")[0] for name in indexed()} <= VERBS


def test_one_timer_purges_flows_and_one_runs_duties() -> None:
    others = {name: trigger for name, trigger in indexed().items() if trigger != "httpTrigger"}
    assert others == {"purge_flows": "timerTrigger", "run_duties": "timerTrigger"}


def test_there_is_one_function_app() -> None:
    count = run(
        "import function_app\nfrom azure.functions import FunctionRegister\n"
        "print(sum(isinstance(each, FunctionRegister) for each in vars(function_app).values()))",
        IN_DEVELOPMENT,
    )
    assert count == "1\n"


@pytest.mark.parametrize("environment", [IN_AZURE, IN_DEVELOPMENT, {}], ids=["azure", "development", "not configured"])
def test_nothing_slow_is_imported_at_start(environment: dict[str, str]) -> None:
    """The import is the cold start."""
    modules = {*run("import function_app\nprint(*sys.modules, sep='\\n')", environment).split()}
    assert "azure.functions" in modules
    assert {module.partition(".")[0] for module in modules} & SLOW == set()
    assert {part for part in SLOW_PARTS if part in modules} == set()


NOBODY = "https://127.0.0.1:1"
FIRST_USE = """
import asyncio, sys, function_app, azure.identity.aio, azure.keyvault.keys.crypto.aio
from shared.ports.telemetry import Event, EventName
from shared.settings import read_settings
from shared.wiring import build_services

async def use():
    services = build_services(read_settings())
    print(sorted(await services.health.ask()))
    services.edge.telemetry.note(Event(EventName.REFUSAL, "404", "not-found"))
    await services.upkeep.close()

asyncio.run(use())
print(*sys.modules, sep="\\n")
"""


def test_with_telemetry_off_nothing_imports_opentelemetry_even_when_it_is_used() -> None:
    """Azure's libraries could trace with it, since it is installed."""
    nobody = {"SSO_ENTRA_AUTHORITY": NOBODY, "SSO_CONTROL_PANEL_ISSUER": NOBODY}
    asked, *modules = run(FIRST_USE, IN_DEVELOPMENT | nobody).splitlines()
    assert "storage" in asked
    assert {"azure.core.pipeline", "aiohttp", "azure.identity.aio", "msal"} <= {*modules}
    assert [name for name in modules if name.startswith(("opentelemetry", "azure.monitor"))] == []


def test_a_broken_setting_leaves_a_function_to_be_found() -> None:
    found = json.loads(run(INDEX.format(folder=str(ROOT)), {"SSO_PUBLIC_URL": "nonsense"}))
    assert {name for name, _ in found} == {"explain_misconfiguration"}


# -- the package -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def unzipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, as `make zip` builds it, unpacked."""
    return unpacked(ROOT, tmp_path_factory.mktemp("package") / "azure-sso.zip")


@pytest.fixture(scope="session")
def package(unzipped: Path) -> Path:
    return unzipped.with_suffix(".zip")


def test_the_package_holds_the_product_and_nothing_else(unzipped: Path) -> None:
    assert {entry.name for entry in unzipped.iterdir()} == {
        "__pycache__",
        "function_app.py",
        "functions",
        "host.json",
        "panel",
        "pyproject.toml",
        "requirements.txt",
        "shared",
    }
    files = [file for file in unzipped.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".py", ".pyc", ".json", ".txt", ".html", ".css", ".toml", ".js"}
    assert {file.parent.name for file in (unzipped / "panel").rglob("*") if file.is_file()} == {"dist"}
    assert (unzipped / "panel" / "dist" / "azure-sso-panel.js").is_file(), (
        "make panel builds it, and make zip asks for it"
    )


def test_what_comes_to_lie_in_the_project_stays_out(tmp_path: Path) -> None:
    """A backup holds everybody's data, and a package is unpacked where more people look."""
    shutil.copy(ROOT / ".funcignore", tmp_path)
    deployed = [
        "function_app.py",
        "functions/http/dialects/pages.py",
        "functions/pages/style.css",
        "host.json",
        "panel/dist/azure-sso-panel.js",
        "pyproject.toml",
        "requirements.txt",
        "shared/kernel/names.py",
    ]
    stray = [
        "backup.jsonl",
        "backups/today.jsonl",
        "backups/functions/today.py",
        "functions-backup.jsonl",
        "sharedfiles/notes.py",
        "local.settings.json",
        "conftest.py",
        "new/shared/secret.py",
        "panel/build.mjs",
        "panel/node_modules/lit/index.js",
        "panel/src/api.ts",
        ".env",
        "functions/__pycache__/app.pyc",
    ]
    for name in (*deployed, *stray):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert [file.as_posix() for file in deployed_files(tmp_path)] == deployed


def test_the_same_files_give_the_same_package(package: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    build(ROOT, again)
    assert again.read_bytes() == package.read_bytes()


def test_the_package_is_imported_on_its_own(unzipped: Path) -> None:
    """Also with everything imported that is otherwise put off until it is needed."""
    script = (
        "import function_app, importlib, pkgutil, functions, shared\n"
        "for package in (functions, shared):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "print(function_app.__file__)\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, sep='\\n')"
    )
    place, *modules = run(script, IN_DEVELOPMENT, folder=unzipped).split()
    assert Path(place) == unzipped / "function_app.py"
    assert {"local", "tests", "bench"}.isdisjoint(modules)


def test_the_package_knows_its_version(unzipped: Path) -> None:
    said = run("from functions.version import product_version\nprint(product_version())", {}, folder=unzipped)
    assert said.strip() == VERSION


def test_no_code_says_the_version_again() -> None:
    folders = ["functions", "shared", "local", "infra", "bench"]
    files = [
        file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in {".py", ".sh", ".bicep"}
    ]
    assert len(files) > 150
    assert [file for file in files if re.search(rf"['\"]{re.escape(VERSION)}['\"]", file.read_text("utf-8"))] == []


SHOWS_A_PAGE = """
from functions.http.dialects.pages import Pages
from shared.settings import read_settings
print(Pages(read_settings().branding).email("Unite", "https://sso.example/", {}, None).get_body().decode())
"""


def test_the_package_brings_its_pages(unzipped: Path) -> None:
    page = run(SHOWS_A_PAGE, IN_DEVELOPMENT | {"SSO_VENDOR_NAME": "Vendor"}, folder=unzipped)
    assert "<h1>Sign in to Unite</h1>" in page
    assert "<header>Vendor</header>" in page


COMPILES = """
import sys
compiled = []
sys.addaudithook(lambda event, told: compiled.append(str(told[1])) if event == "compile" else None)
import function_app
print(function_app.build_app.__code__.co_filename, *(name for name in compiled if name.endswith(".py")))
"""


def test_the_package_is_imported_without_compiling_a_module(unzipped: Path) -> None:
    place, *compiled = run(COMPILES, IN_DEVELOPMENT, folder=unzipped).split()
    assert Path(place) == unzipped / "functions" / "app.py"
    assert compiled == []


def test_a_module_that_was_changed_in_the_package_is_compiled(unzipped: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(unzipped, tmp_path / "changed") / "function_app.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    _, *compiled = run(COMPILES, IN_DEVELOPMENT, folder=changed.parent).split()
    assert compiled == [str(changed)]


def test_routes_have_no_prefix_and_urls_stay_out_of_the_log() -> None:
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["http"]["routePrefix"] == ""


def test_browsers_that_were_here_once_come_back_over_https_only() -> None:
    hsts = HostSettings.read(ROOT, None).hsts
    assert hsts == "max-age=31536000", "other hosts below the vendor's domain are not this service's to decide on"


def test_the_host_speaks_opentelemetry_and_is_told_nothing_that_it_would_not_heed() -> None:
    """In that mode `logging.applicationInsights` does nothing, and whoever reads it would believe in its sampling."""
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["telemetryMode"] == "OpenTelemetry"
    assert "applicationInsights" not in host["logging"]
