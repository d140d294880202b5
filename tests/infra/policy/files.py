"""The files themselves: versions are pinned, none lies there for nobody, and parameters are what main.bicep takes."""

import re
from collections.abc import Iterator
from pathlib import Path

from infra.plans import FOLDER
from tests.infra.plans import Infra, parameters_of
from tests.infra.policy.azure import PREVIEWS, VERSIONS
from tests.infra.policy.expectations import Expectations


def versions(infra: Infra, _: Expectations) -> Iterator[str]:
    """Versions are pinned, and none is a preview without its reason."""
    made = {(each.kind, each.version) for plan in infra.plans.values() for each in plan.resources}
    # What is only looked up is in no plan.
    found = made | {
        (kind, version)
        for text in infra.texts.values()
        for kind, version in re.findall(r"^resource \w+ '([^'@]+)@([^']+)' existing", text, re.MULTILINE)
    }
    for kind, version in found:
        if version != VERSIONS.get(kind):
            yield f"{kind}@{version} is not the pinned version."
        if "preview" in version and kind not in PREVIEWS:
            yield f"{kind}@{version} is a preview, and nobody says why."
    yield from (f"{kind} is pinned and not used." for kind in VERSIONS.keys() - {kind for kind, _ in found})


def every_file_is_used(infra: Infra, _: Expectations) -> Iterator[str]:
    """Each module is run or imported by another file."""
    used = {
        (Path(file).parent / path).as_posix()
        for file, text in infra.texts.items()
        for path in re.findall(r"^(?:module \w+|import .* from) '([^']+)'", text, re.MULTILINE)
    }
    yield from (
        f"{file} is used by nobody." for file in infra.texts if file.startswith("modules/") and file not in used
    )


def parameter_files(infra: Infra, code: Expectations) -> Iterator[str]:
    """The parameters of each environment are all in its plan; the compiler holds them against main.bicep."""
    for environment in ("dev", "prod"):
        given = parameters_of(environment)
        plan = (FOLDER / f"{environment}.bicepparam").read_text(encoding="utf-8")
        read = {*re.findall(r"^param (\w+) = parameters\.\1\.value$", plan, re.MULTILINE)}
        optional = dict(re.findall(r"^param (\w+) = any\(parameters\)\.\?\1\.\?value \?\? (.+)$", plan, re.MULTILINE))
        said = {*re.findall(r"^param (\w+) = ", plan, re.MULTILINE)} - optional.keys()
        yield from (f"The plan {environment} does not read {name}." for name in given.keys() - read - optional.keys())
        for name, default in optional.items():
            if not re.search(
                rf"\nparam {name} (?:string|int|bool) = {re.escape(default)}\n", infra.texts["main.bicep"]
            ):
                yield f"The plan {environment} takes {name} for {default} if it is left out, and main.bicep does not."
        yield from (f"{environment}.parameters.json does not say {name}." for name in read - given.keys())
        yield from (
            f"The plan {environment} says {name}, which no script hands over." for name in said - read - code.overrides
        )
        if given.get("environmentName") != environment:
            yield f"{environment}.parameters.json is not for {environment}."
