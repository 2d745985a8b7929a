"""The rules of the house that no linter holds."""

import ast
import importlib.util
import inspect
import re
import tomllib
from pathlib import Path

import pytest
from django.apps import apps as registry

ROOT = Path(__file__).parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
# The one question that every service asks first reads best without names.
POSITIONAL = {"apps.accounts.services.access.require"}
FACES = {"portal", "api", "feeds"}
APPS = sorted(p.name for p in (ROOT / "apps").iterdir() if (p / "__init__.py").exists())
DOMAIN = [app for app in APPS if app not in FACES | {"core"}]
MODULES = sorted(
    path
    for place in ("apps", "oms", "tests", "tools", "benchmarks")
    for path in (ROOT / place).rglob("*.py")
    if "migrations" not in path.parts
)
ATTICS = {
    "utils",
    "helpers",
    "common",
    "misc",
    "signals",
    "mixins",
    "managers",
    "constants",
    "exceptions",
    "views",
    "serializers",
    "forms",
    "urls",
}


def contract(name):
    return next(c for c in CONFIG["contracts"] if c["id"] == name)


def services(app):
    """Return the verbs of an app: what others find when they read its module `services`."""
    if importlib.util.find_spec(f"apps.{app}.services") is None:
        return []
    module = importlib.import_module(f"apps.{app}.services")
    return [
        verb
        for name, verb in vars(module).items()
        if inspect.isfunction(verb)
        and not name.startswith("_")
        and verb.__module__.startswith(module.__name__)
    ]


def test_every_domain_app_has_its_rooms_checked():
    assert sorted(contract("rooms")["containers"]) == sorted(
        f"apps.{app}" for app in DOMAIN
    )


@pytest.mark.parametrize("app", APPS)
def test_app_says_what_it_owns(app):
    assert ast.get_docstring(ast.parse((ROOT / "apps" / app / "__init__.py").read_text()))


@pytest.mark.parametrize("app", DOMAIN)
def test_app_has_no_attic(app):
    names = {p.stem for p in (ROOT / "apps" / app).rglob("*.py")}
    names |= {p.name for p in (ROOT / "apps" / app).rglob("*") if p.is_dir()}
    assert not names & ATTICS


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_file_fits_in_a_head(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("app", DOMAIN)
def test_public_services_take_keywords_only(app):
    taking_others = {
        f"{verb.__module__}.{verb.__name__}"
        for verb in services(app)
        for parameter in inspect.signature(verb).parameters.values()
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    }
    assert taking_others <= POSITIONAL


REQUIREMENTS = [
    line
    for path in sorted(ROOT.glob("requirements*.txt"))
    for line in path.read_text().splitlines()
    if line and not line.startswith(("#", "-r"))
]

FLOOR_OF = {
    app.strip(): floor
    for floor, row in enumerate(reversed(contract("floors")["layers"]))
    for app in row.split("|")
}


def ours(model):
    return model is not None and model.__module__.startswith("apps.")


LINKS = [
    (model, field)
    for model in registry.get_models()
    if ours(model)
    for field in model._meta.get_fields()
    if field.is_relation
    and not field.auto_created
    and ours(field.related_model)
    and field.related_model._meta.app_label != model._meta.app_label
]


@pytest.mark.parametrize(("model", "field"), LINKS, ids=str)
def test_row_points_down_and_leaves_no_door_behind(model, field):
    here, there = model._meta.app_label, field.related_model._meta.app_label
    assert FLOOR_OF[there] < FLOOR_OF[here]
    assert field.remote_field.related_name.endswith("+")


def test_settings_name_every_app():
    installed = {config.name for config in registry.get_app_configs()}
    assert {f"apps.{app}" for app in APPS} - installed == {"apps.api"}


@pytest.mark.parametrize("line", REQUIREMENTS, ids=lambda line: line.split("=")[0])
def test_requirement_is_pinned_and_has_a_reason(line):
    assert re.fullmatch(r"[a-zA-Z0-9_.,\[\]-]+==[0-9][a-z0-9.]*\s+# \S.*", line)
