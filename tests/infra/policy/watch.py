"""What operators are told and may ask: alerts, the health test, the workbook, and the words of their queries."""

import json
import re
from collections import Counter
from collections.abc import Iterator

from tests.infra.plans import Infra, Plan, Resource
from tests.infra.policy.expectations import Expectations

QUERY_ALERTS = "Microsoft.Insights/scheduledQueryRules"
METRIC_ALERTS = "Microsoft.Insights/metricAlerts"
EVENTS = "Microsoft.EventGrid/systemTopics/eventSubscriptions"


def alert_rules(plan: Plan) -> list[tuple[str, Resource]]:
    """The alerts of a plan, with their names without what says of which environment they are."""
    prefixes = [f"{each.name}-" for each in plan.of("Microsoft.Insights/actionGroups")] or [""]
    return [
        (each.name.removeprefix(prefixes[0]), each)
        for kind in (QUERY_ALERTS, METRIC_ALERTS, EVENTS)
        for each in plan.of(kind)
    ]


def alerts(infra: Infra, code: Expectations) -> Iterator[str]:
    """Exactly the alerts that the operators' manual explains, and each tells somebody."""
    for plan in infra.stage_3():
        rules = alert_rules(plan)
        named = Counter(name for name, _ in rules)
        yield from (f"There is no alert {name} in {plan.name}." for name in code.alerts - named.keys())
        yield from (f"The alert {name} is explained nowhere." for name in named.keys() - code.alerts)
        yield from (f"There are {count} alerts {name} in {plan.name}." for name, count in named.items() if count > 1)
        people = {each.id for each in plan.of("Microsoft.Insights/actionGroups")}
        for _, each in rules:
            if not any(group in json.dumps(each.body["properties"]) for group in people):
                yield f"{each} tells nobody."
            if each.kind == QUERY_ALERTS and each.at("properties.skipQueryValidation") is not True:
                yield f"{each} is refused by Azure as long as its tables do not exist: skipQueryValidation is not set."


def health_test(infra: Infra, code: Expectations) -> Iterator[str]:
    """A sick service is not taken for a healthy one."""
    for plan in infra.stage_3():
        address = plan.app_settings.get("SSO_PUBLIC_URL", "")
        for each in plan.of("Microsoft.Insights/webtests"):
            path = str(each.at("properties.Request.RequestUrl")).removeprefix(address)
            words = str(each.at("properties.ValidationRules.ContentValidation.ContentMatch"))
            if path not in code.routes or words not in code.healthy or words in code.unwell:
                yield f"{each} takes a sick service for a healthy one, or the other way round."


def asked_queries(plan: Plan) -> set[str]:
    """The text of every query in an alert or in the workbook."""
    in_alerts = {
        criterion["query"] for each in plan.of(QUERY_ALERTS) for criterion in each.at("properties.criteria.allOf")
    }
    in_workbooks = {
        item["content"]["query"]
        for each in plan.of("Microsoft.Insights/workbooks")
        for item in json.loads(str(each.at("properties.serializedData")))["items"]
        if "query" in item["content"]
    }
    return in_alerts | in_workbooks


def every_query_is_asked(infra: Infra, _: Expectations) -> Iterator[str]:
    """No query lies in `infra/queries` for nobody, and none stands anywhere else."""
    for plan in infra.stage_3():
        asked = asked_queries(plan)
        yield from (
            f"{file} is asked by nobody in {plan.name}." for file, text in infra.queries.items() if text not in asked
        )
        yield from (f"In infra/queries there is no {text}." for text in asked - {*infra.queries.values()})


def queries(infra: Infra, code: Expectations) -> Iterator[str]:
    """Queries ask in words that the service says."""
    for file, text in infra.queries.items():
        asked = re.sub(r"//.*", "", text)
        if not text.startswith("// "):
            yield f"{file} does not say what it is about."
        for kind, pattern in {
            "metrics": r'"(azure_sso\.\w+)"',
            "dimensions": r"Properties\.(\w+)",
            "fields": r"told\.(\w+)",
        }.items():
            yield from (
                f"{file} asks for {word}, which is none of the {kind}."
                for word in {*re.findall(pattern, asked)} - code.vocabulary[kind]
            )
        for kind, word in (("events", "event"), ("outcomes", "outcome")):
            compared = " ".join(re.findall(rf"\b{word} (?:==|in) \(?[^)|\n]*", asked))
            yield from (
                f"{file} asks for {it}, which is none of the {kind}."
                for it in {*re.findall(r'"(\w+)"', compared)} - code.vocabulary[kind]
            )
        for table in re.findall(r"datatable\(step: int, outcome: string\) \[([^\]]*)\]", asked):
            words = {*re.findall(r'"(\w+)"', table)} - code.vocabulary["outcomes"]
            yield from (f"{file} asks for {word}, which is no outcome." for word in words)
        for line in re.findall(r'Message startswith "((?:\\.|[^"\\])*)"', asked):
            said = line.replace('\\"', '"')
            if said != '{"event":' and said not in code.code:
                yield f"{file} waits for a line that the code never writes: {said}"
