"""`make run`: start the stack, register the demo's customer, and print what to click and what to call.

`make run APP=no` leaves the app to `func start` or a debugger (`.vscode/launch.json`) and waits for it.
"""

import sys
import time
from textwrap import dedent

from local import demo_data
from local.cast.person import ADA, PASSWORD
from local.processes import ROOT, StackError, unwind_on_signals
from local.stack import Ports, Stack
from local.terminal import faint, good, say, strong


def main(arguments: list[str]) -> None:
    """Run until Ctrl-C or SIGTERM; exit code 1 with one sentence when something is wrong."""
    unwind_on_signals()
    with_app = "--without-app" not in arguments
    try:
        say(faint("Starting Azurite, local Entra, the app and a sample application ..."))
        with demo_data.opened(Ports.from_environment(), with_app=with_app) as stack:
            say(_addresses(stack))
            say(_commands(stack))
            _watch(stack)
    except KeyboardInterrupt:
        say("\nStopped.")
    except StackError as fault:
        sys.exit(str(fault))


def _watch(stack: Stack) -> None:
    while True:
        for child in stack.children:
            if not child.running:
                raise StackError(f"{child.name} ended with code {child.process.returncode}.\n{child.last_words()}")
        time.sleep(0.5)


def _addresses(stack: Stack) -> str:
    rows = [
        ("Start here", stack.panel_url, "a control panel: connect, decide, switch on"),
        ("The service", stack.app_url, "/health, /openapi.json"),
        ("AnyMeeting", stack.sample_url, "a sample application to sign in to"),
        ("Local Entra", stack.entra_url, f"back channel https://localhost:{stack.ports.entra_https}"),
        ("Azurite", f"http://127.0.0.1:{stack.ports.tables}", "tables, in memory: gone when this stops"),
        ("Logs", f"{stack.ports.state_dir}/logs", f"tail -f {stack.ports.state_dir}/logs/app.log"),
    ]
    lines = [f"  {name:<12} {strong(f'{place:<22}')} {faint(note)}" for name, place, note in rows]
    return "\n".join([good("Azure SSO is running."), "", *lines])


def _commands(stack: Stack) -> str:
    """The demo as lines for another terminal; a line that begins with # explains the next ones."""
    sam = "curl -sSw '\\n' --oauth2-bearer \"$TOKEN\""
    ask = "curl -sSw '\\n' -H \"x-functions-key: $KEY\" $SSO/v1/resolve -H 'Content-Type: application/json' -d"
    admin = f"{ADA} with {PASSWORD}"
    merge_patch = "-X PATCH -H 'If-Match: *' -H 'Content-Type: application/merge-patch+json'"
    script = f"""
        Paste these lines into another terminal, in this folder, one part after the other. Every answer is "password"
        until you have signed in at the startUrl of the second part and switched SSO on:

        # Sam is Security Manager of {demo_data.ACCOUNT_ID}, Olga an operator; their tokens are valid for an hour
        export SSO={stack.app_url}
        export ACCOUNT={stack.app_url}/v1/accounts/{demo_data.ACCOUNT_ID}
        export KEY={stack.function_key}
        export TOKEN={stack.panel_token(demo_data.SECURITY_MANAGER)}
        export OPERATOR={stack.panel_token(demo_data.OPERATOR)}

        # Start Azure Integration
        {sam} $ACCOUNT/connection -X POST

        # Open its startUrl in a browser and sign in as {admin}; then
        {sam} $ACCOUNT/connection
        {sam} $ACCOUNT/domains

        # Switch SSO on for everybody
        {sam} $ACCOUNT/policy {merge_patch} -d '{{"mode": "on"}}'

        # Import the exceptions; one line of the file is wrong on purpose
        {sam} $ACCOUNT/exceptions -H 'Content-Type: text/csv' --data-binary @{_csv()}

        # Alice signs in with Microsoft
        {ask} '{{"email": "alice@contoso.example", "application": "unite"}}'

        # Carol is an exception
        {ask} '{{"email": "carol@contoso-mail.example", "application": "unite"}}'

        # See both in a browser: open {stack.sample_url}; the password at Microsoft is {PASSWORD}

        # Contact Center needs Unite, which Contoso has not bought
        {ask} '{{"email": "alice@contoso.example", "application": "contact-center"}}'

        # Who changed what
        {sam} $ACCOUNT/audit

        Or let `make demo` play all of it there. Ctrl-C here stops everything."""
    return "\n".join(faint(line) if line.startswith("# ") else line for line in dedent(script).splitlines())


def _csv() -> str:
    return demo_data.EXCEPTIONS_FILE.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    main(sys.argv[1:])
