"""What leaves the worker in Azure: cookies in the messages of Microsoft's library, from a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.processes import ROOT
from tests.unit.test_wiring import IN_DEVELOPMENT

WORKER = ROOT / "tests" / "support" / "worker_over_grpc.py"
MODES = ["init", "placeholder", "reloaded"]
STRANGER = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="cookie")
async def give_cookie(req: func.HttpRequest) -> func.HttpResponse:
    answer = func.HttpResponse(status_code=204)
    answer.headers.add("Set-Cookie", "__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax")
    return answer
"""


def cookies(mode: str, folder: Path, function: str, cwd: Path) -> list[dict[str, Any]]:
    """The cookies that the host hears of, when this function of the app in this folder is called."""
    setup = {"folder": str(folder), "settings": IN_DEVELOPMENT}
    lines = "\n".join(map(json.dumps, (setup, function)))
    command = [sys.executable, str(WORKER), mode]
    ended = subprocess.run(command, input=lines, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    (found,) = json.loads(ended.stdout.splitlines()[-1])
    return list(found)


@pytest.mark.parametrize("mode", MODES)
def test_a_cookie_of_ours_leaves_the_worker_without_a_domain(mode: str, tmp_path: Path) -> None:
    (cookie,) = cookies(mode, ROOT, "get_health_cookie", tmp_path)
    assert cookie.pop("name").startswith("__Host-azure-sso-probe-")
    assert {name: value.strip() for name, value in cookie.items()} == {
        "path": 'value: "/"',
        "secure": "value: true",
        "http_only": "value: true",
        "same_site": "1",
        "max_age": "value: 0",
    }


@pytest.mark.parametrize("mode", MODES)
def test_a_cookie_of_any_other_app_has_an_empty_one(mode: str, tmp_path: Path) -> None:
    """Which shows that these messages would tell."""
    (tmp_path / "function_app.py").write_text(STRANGER, encoding="utf-8")
    (cookie,) = cookies(mode, tmp_path, "give_cookie", tmp_path)
    assert cookie["domain"].strip() == 'value: ""'
