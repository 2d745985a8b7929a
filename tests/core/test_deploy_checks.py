"""Unsafe settings do not pass `manage.py check --deploy`."""

from copy import deepcopy

import pytest
from django.conf import settings as conf
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from oms import checks

KEY = "k7Qw-93hf_Zt0sPlm4XcVb8nRyEuAoGd51JiTq2M6LxDvCw"
POOL = {"min_size": 1, "max_size": 4, "timeout": 5}


def database(**changes):
    found = {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"pool": POOL},
        **changes,
    }
    return {"default": found}


@pytest.fixture
def safe(settings):
    """Production settings that pass."""
    settings.DEBUG = False
    settings.SECRET_KEY = KEY
    settings.TOKEN_KEY = KEY[::-1]
    settings.TOKEN_KEYS_PAST = []
    settings.AUDIT_KEY = f"a{KEY}"
    settings.ALLOWED_HOSTS = ["portal.example.org"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://portal.example.org"]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.EMBEDDED = False
    settings.DATABASES = database()
    return settings


def found():
    return [error.msg for error in checks.refuse_unsafe_settings()]


def rest(**changes):
    return {**deepcopy(conf.REST_FRAMEWORK), **changes}


def policy(*scripts):
    return {"DIRECTIVES": {"script-src": list(scripts)}}


def test_safe_settings_pass(safe):
    assert found() == []


UNSAFE = [
    ("DEBUG", True, "DEBUG is on"),
    ("SECRET_KEY", "short", "SECRET_KEY"),
    ("SECRET_KEY", "django-insecure-" + KEY, "SECRET_KEY"),
    ("SECRET_KEY", "a" * 60, "SECRET_KEY"),
    ("TOKEN_KEY", "short", "TOKEN_KEY is short"),
    ("TOKEN_KEY", KEY, "must not be SECRET_KEY"),
    ("TOKEN_KEYS_PAST", ["old"], "TOKEN_KEYS_PAST"),
    ("AUDIT_KEY", "short", "AUDIT_KEY"),
    ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS"),
    ("ALLOWED_HOSTS", ["*.example.org"], "ALLOWED_HOSTS"),
    ("ALLOWED_HOSTS", [], "ALLOWED_HOSTS"),
    ("CSRF_TRUSTED_ORIGINS", ["https://*.example.org"], "CSRF_TRUSTED_ORIGINS"),
    ("SESSION_COOKIE_SECURE", False, "without HTTPS"),
    ("CSRF_COOKIE_SECURE", False, "without HTTPS"),
    ("SECURE_SSL_REDIRECT", False, "not redirected"),
    ("SECURE_HSTS_SECONDS", 0, "HSTS"),
    ("SESSION_COOKIE_HTTPONLY", False, "session cookie"),
    ("EMBEDDED", True, "embedded"),
    ("DATABASES", database(ENGINE="django.db.backends.sqlite3"), "not PostgreSQL"),
    ("DATABASES", database(CONN_HEALTH_CHECKS=False), "CONN_HEALTH_CHECKS"),
    ("DATABASES", database(CONN_MAX_AGE=60), "CONN_MAX_AGE"),
    ("DATABASES", database(CONN_MAX_AGE=None), "CONN_MAX_AGE"),
    ("DATABASES", database(OPTIONS={}), "pool is off"),
    ("DATABASES", database(OPTIONS={"pool": True}), "too long"),
    ("DATABASES", database(OPTIONS={"pool": {"timeout": 30}}), "too long"),
    (
        "REST_FRAMEWORK",
        rest(DEFAULT_PERMISSION_CLASSES=["rest_framework.permissions.AllowAny"]),
        "lets everybody in",
    ),
    ("REST_FRAMEWORK", rest(DEFAULT_PERMISSION_CLASSES=[]), "lets everybody in"),
    ("REST_FRAMEWORK", {}, "lets everybody in"),
    ("REST_FRAMEWORK", rest(DEFAULT_AUTHENTICATION_CLASSES=[]), "authenticates nobody"),
    (
        "PASSWORD_HASHERS",
        ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "not hashed with Argon2",
    ),
    ("AUTH_PASSWORD_VALIDATORS", [], "hardly validated"),
    ("DATA_UPLOAD_MAX_MEMORY_SIZE", None, "no limit"),
    ("CONTENT_SECURITY_POLICY", policy("'self'", "'unsafe-inline'"), "foreign scripts"),
    ("CONTENT_SECURITY_POLICY", policy("*"), "foreign scripts"),
    ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {}}, "foreign scripts"),
    ("X_FRAME_OPTIONS", "SAMEORIGIN", "framed"),
    ("MIDDLEWARE", [], "CsrfViewMiddleware is missing"),
]


@pytest.mark.parametrize(("name", "value", "words"), UNSAFE)
def test_an_unsafe_setting_is_refused(safe, name, value, words):
    setattr(safe, name, value)
    assert any(words in message for message in found()), found()


def test_the_command_fails_on_what_is_unsafe(safe):
    safe.REST_FRAMEWORK = rest(DEFAULT_PERMISSION_CLASSES=[])
    with pytest.raises((SystemCheckError, CommandError), match="lets everybody in"):
        call_command("check", deploy=True)
