"""The Bicep provisions what the code needs and nothing that is open; and the policy that says so can fail."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest
from azure.monitor.opentelemetry._constants import _ALL_SUPPORTED_INSTRUMENTED_LIBRARIES

from tests.infra.mutations import (
    put_into_the_code,
    renamed_in_the_code,
    said_wrong_in_bicep,
    taken_out_of_bicep,
    taken_out_of_the_code,
)
from tests.infra.plans import Infra
from tests.infra.policy import POLICY, check
from tests.infra.policy.expectations import Expectations, expectations


@cache
def infra() -> Infra:
    return Infra.read()


@cache
def code() -> Expectations:
    return expectations()


@pytest.mark.parametrize("rule", POLICY, ids=lambda rule: rule.__name__)
def test_the_deployment_keeps_the_rule(rule: Callable[[Infra, Expectations], Iterator[str]]) -> None:
    assert [*rule(infra(), code())] == []


def test_every_instrumentation_of_the_distribution_is_switched_off() -> None:
    """A new one would come with the next version, and tell addresses of rows from then on."""
    for plan in infra().stage_3():
        switched_off = plan.app_settings["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"]
        assert {*switched_off.split(",")} == {*_ALL_SUPPORTED_INSTRUMENTED_LIBRARIES}


def test_the_secrets_are_drawn() -> None:
    for plan in infra().stage_3():
        secrets = plan.of("Microsoft.KeyVault/vaults/secrets")
        assert len(secrets) == 3
        # 36 characters each, and 32 are enough.
        assert {each.at("properties.value") for each in secrets} == {"[format('{0}{1}', newGuid(), newGuid())]"}


# -- the policy can fail: take something out of either side, and it says what


BICEP = [*taken_out_of_bicep(infra())]
WRONG = [*said_wrong_in_bicep(infra())]
CODE = sorted(
    [*taken_out_of_the_code(code()), *put_into_the_code(code()), *renamed_in_the_code(code(), infra())],
    key=lambda each: each[0],
)
"""In the same order in every process, though the code says much of it in sets."""


@pytest.mark.parametrize(("rest", "word"), [each[1:] for each in BICEP], ids=[each[0] for each in BICEP])
def test_what_is_taken_out_of_the_bicep_is_missed(rest: Infra, word: str) -> None:
    assert any(word in complaint for complaint in news(check(rest, code())))


@pytest.mark.parametrize(("rest", "word"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG])
def test_what_is_said_wrong_in_the_bicep_is_noticed(rest: Infra, word: str) -> None:
    assert any(word in complaint for complaint in news(check(rest, code())))


@pytest.mark.parametrize(("rest", "word"), [each[1:] for each in CODE], ids=[each[0] for each in CODE])
def test_what_the_code_does_not_need_or_needs_besides_is_noticed(rest: Expectations, word: str) -> None:
    assert any(word in complaint for complaint in news(check(infra(), rest)))


def test_there_is_a_mutation_for_every_kind_of_thing() -> None:
    assert len(BICEP) > 250
    assert len(WRONG) > 130
    kinds = {each[0].split()[0] for each in CODE}
    assert kinds >= {"host", "role", "table", "metrics", "dimensions", "fields", "events", "outcomes"}
    assert {each[0].split()[0] for each in BICEP} >= {
        "setting",
        "table",
        "role",
        "logs",
        "permission",
        "claim",
        "alert",
        "policy",
        "endpoint",
        "expiry",
        "module",
        "query",
    }


@pytest.mark.parametrize(
    ("file", "text", "word"),
    [
        ("modules/function-app.bicep", "  FUNCTIONS_WORKER_RUNTIME: 'python'", "FUNCTIONS_WORKER_RUNTIME"),
        ("modules/function-app.bicep", "  WEBSITE_RUN_FROM_PACKAGE: '1'", "WEBSITE_"),
        ("modules/function-app.bicep", "      ftpsState: 'Disabled'", "ftpsState"),
        ("modules/package-storage.bicep", "output key string = account.listKeys().keys[0].value", "listKeys("),
        ("main.bicep", "      SSO_PUBLIC_URL: address", "SSO_PUBLIC_URL is set 2 times"),
    ],
)
def test_what_must_not_be_set_is_noticed(file: str, text: str, word: str) -> None:
    whole = infra()
    longer = replace(whole, texts={**whole.texts, file: f"{whole.texts[file]}\n{text}\n"})
    assert any(word in complaint for complaint in news(check(longer, code())))


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ('AppMetrics | where Name == "azure_sso.sessions"', "azure_sso.sessions"),
        ('AppMetrics | where outcome == "succeeded"', "succeeded"),
        ('AppTraces | where event in ("sign_in", "log_in")', "log_in"),
        ("AppTraces | extend email = told.email", "email"),
        ('AppTraces | where Message startswith "Entra is angry"', "Entra is angry"),
    ],
)
def test_a_query_in_words_that_nobody_says_is_noticed(query: str, word: str) -> None:
    whole = infra()
    asked = {**whole.queries, "queries/refusals.kql": f"// Why.\n{query}\n"}
    assert any(word in complaint for complaint in news(check(replace(whole, queries=asked), code())))


@cache
def known() -> frozenset[str]:
    return frozenset(check(infra(), code()))


def news(complaints: list[str]) -> set[str]:
    """Complaints that the deployment as it stands does not give rise to."""
    return {*complaints} - known()
