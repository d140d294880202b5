"""The host as a program: a directory with a function_app.py, settings files, a port."""

import json
import subprocess
import sys
import time
from pathlib import Path

import azure.functions as func
import httpx
import pytest

from local.cast.stack import functions_host
from local.host import HostSettings, IndexingError, SettingsError, create_host
from local.processes import ROOT

APP = """
import os
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="setting")
async def tell_setting(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(os.environ["GREETING"])

@app.timer_trigger(schedule="%OFTEN%", arg_name="timer")
async def tick(timer: func.TimerRequest) -> None:
    print("tick", flush=True)
"""


@pytest.fixture
def app_directory(tmp_path: Path) -> Path:
    (tmp_path / "host.json").write_text('{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}')
    (tmp_path / "function_app.py").write_text(APP)
    return tmp_path


def _serve(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.host", "--directory", str(directory), "--port", "0", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_it_serves_a_directory_and_runs_its_timers(app_directory: Path) -> None:
    with functions_host({"GREETING": "hello", "OFTEN": "* * * * * *"}, directory=app_directory) as host:
        assert httpx.get(f"{host.url}/setting").text == "hello"
        deadline = time.monotonic() + 10
        while "\ntick" not in host.log() and time.monotonic() < deadline:
            time.sleep(0.1)
        log = host.log()
    assert "2 functions at http://127.0.0.1" in log
    assert "\ntick\n" in log


def test_a_failing_import_is_told_with_its_traceback_and_one_sentence(app_directory: Path) -> None:
    (app_directory / "function_app.py").write_text("import module_that_is_not_there\n")
    ended = _serve(app_directory)
    assert ended.returncode == 1
    assert "line 1, in <module>\n    import module_that_is_not_there" in ended.stderr
    assert 'In Azure this app would show "0 functions found"' in ended.stderr.splitlines()[-1]


def test_missing_files_are_named(app_directory: Path) -> None:
    assert "nowhere.json is missing." in _serve(app_directory, "--settings", "nowhere.json").stderr
    (app_directory / "function_app.py").unlink()
    assert "has no function_app.py." in _serve(app_directory).stderr


def test_a_taken_port_is_told_in_one_sentence(app_directory: Path) -> None:
    with functions_host({"GREETING": "hello", "OFTEN": "0 0 0 1 1 *"}, directory=app_directory) as host:
        port = host.url.rpartition(":")[2]
        settings = app_directory / "local.settings.json"
        settings.write_text('{"Values": {"GREETING": "x", "OFTEN": "0 0 0 1 1 *"}}')
        ended = _serve(app_directory, "--settings", str(settings), "--port", port)
    assert ended.returncode == 1
    assert ended.stderr == f"Port {port} is taken: stop what listens there, or choose another with --port.\n"


def test_settings_come_from_the_two_files_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{}")
    local = tmp_path / "local.settings.json"
    local.write_text(
        json.dumps(
            {
                "Values": {"A": "file", "B": "file", "N": 1},
                "Host": {
                    "FunctionKey": "k",
                    "CORS": "https://a.example, https://b.example",
                    "CORSCredentials": True,
                },
            }
        )
    )
    settings = HostSettings.read(tmp_path, local)
    environment = {"A": "set already"}
    settings.apply_to(environment)
    assert environment == {"A": "set already", "B": "file", "N": "1"}
    assert settings.route_prefix == "api"
    assert settings.function_key == "k"
    assert settings.master_key is None
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.cors_credentials


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not valid JSON"), ("[]", "a JSON object"), ('{"Host": 1}', "Host")]
)
def test_malformed_settings_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "host.json").write_text("{}")
    (tmp_path / "local.settings.json").write_text(text)
    with pytest.raises(SettingsError, match=message):
        HostSettings.read(tmp_path, tmp_path / "local.settings.json")


def test_what_the_worker_would_not_load_is_refused() -> None:
    app = func.FunctionApp()

    @app.route(route="thing")
    async def handler(req: func.HttpRequest, service: object) -> func.HttpResponse:
        return func.HttpResponse()

    with pytest.raises(IndexingError, match="service"):
        create_host(app, HostSettings())


def test_a_trigger_that_is_not_served_here_is_named() -> None:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="jobs", connection="Storage")
    def read_queue(message: func.QueueMessage) -> None: ...

    with pytest.raises(IndexingError, match=r"read_queue: .* not queueTrigger"):
        create_host(app, HostSettings())


def test_a_schedule_that_is_none_is_refused() -> None:
    app = func.FunctionApp()

    @app.timer_trigger(schedule="every day", arg_name="timer")
    async def tick(timer: func.TimerRequest) -> None: ...

    with pytest.raises(IndexingError, match="every day"):
        create_host(app, HostSettings())


@pytest.mark.parametrize(
    ("hsts", "header"),
    [
        ({}, None),
        ({"isEnabled": False, "maxAge": "10"}, None),
        ({"isEnabled": True}, "max-age=2592000"),
        ({"isEnabled": True, "maxAge": "10"}, "max-age=864000"),
        (
            {"isEnabled": True, "maxAge": "365.00:00:00", "includeSubDomains": True},
            "max-age=31536000; includeSubDomains",
        ),
        ({"isEnabled": True, "maxAge": "01:00", "preload": True}, "max-age=3600; preload"),
    ],
)
def test_hsts_is_read_as_the_host_reads_it(tmp_path: Path, hsts: object, header: str | None) -> None:
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"http": {"hsts": hsts}}}))
    assert HostSettings.read(tmp_path, None).hsts == header


def test_a_max_age_that_is_no_time_span_is_refused(tmp_path: Path) -> None:
    hsts = {"isEnabled": True, "maxAge": "a year"}
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"http": {"hsts": hsts}}}))
    with pytest.raises(SettingsError, match="maxAge"):
        HostSettings.read(tmp_path, None)
