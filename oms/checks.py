"""What `manage.py check --deploy` refuses: settings that are unsafe in production."""

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SHORT = 40
DEFAULTS = ("django-insecure", "secret", "changeme", "change-me", "example", "password")
ARGON2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
OPEN = "AllowAny"


def _weak(secret: str) -> bool:
    return (
        len(secret) < SHORT
        or len(set(secret)) < 10
        or any(word in secret.lower() for word in DEFAULTS)
    )


def _hosts() -> Iterator[str]:
    if settings.DEBUG:
        yield "DEBUG is on."
    if not settings.ALLOWED_HOSTS or any("*" in host for host in settings.ALLOWED_HOSTS):
        yield "ALLOWED_HOSTS must name the hosts, without a wildcard."
    if any("*" in origin for origin in settings.CSRF_TRUSTED_ORIGINS):
        yield "CSRF_TRUSTED_ORIGINS must name the origins, without a wildcard."


def _secrets() -> Iterator[str]:
    if _weak(settings.SECRET_KEY):
        yield "SECRET_KEY is short or guessable."
    if _weak(settings.TOKEN_KEY):
        yield "TOKEN_KEY is short or guessable."
    if _weak(settings.AUDIT_KEY):
        yield "AUDIT_KEY is short or guessable."
    if settings.TOKEN_KEY == settings.SECRET_KEY:
        yield "TOKEN_KEY must not be SECRET_KEY."
    if any(_weak(key) for key in settings.TOKEN_KEYS_PAST):
        yield "A key of TOKEN_KEYS_PAST is short or guessable."


def _https() -> Iterator[str]:
    if not settings.SESSION_COOKIE_SECURE or not settings.CSRF_COOKIE_SECURE:
        yield "Cookies are sent without HTTPS; set HTTPS."
    if not settings.SECURE_SSL_REDIRECT:
        yield "HTTP is not redirected to HTTPS; set HTTPS."
    if settings.SECURE_HSTS_SECONDS < 31_536_000:
        yield "HSTS holds for less than a year; set HTTPS."
    if not settings.SESSION_COOKIE_HTTPONLY:
        yield "Scripts can read the session cookie."


def _database() -> Iterator[str]:
    database: dict[str, Any] = settings.DATABASES["default"]
    if settings.EMBEDDED:
        yield "The database is the embedded one; set DATABASE_URL."
    if database["ENGINE"] != "django.db.backends.postgresql":
        yield "The database is not PostgreSQL."
    if not database.get("CONN_HEALTH_CHECKS"):
        yield "CONN_HEALTH_CHECKS is off: a restart of the database shows as errors."
    if database.get("CONN_MAX_AGE", 0) != 0:
        yield "CONN_MAX_AGE leaks connections under ASGI; it must be 0."
    pool = database.get("OPTIONS", {}).get("pool")
    if not pool:
        yield "The connection pool is off; set DATABASE_POOL."
    elif pool is True or pool.get("timeout", 30) > 10:
        yield "A request waits too long for a connection of the pool."


def _access() -> Iterator[str]:
    rest: dict[str, Any] = settings.REST_FRAMEWORK
    permissions = rest.get("DEFAULT_PERMISSION_CLASSES", [OPEN])
    if not permissions or any(str(name).endswith(OPEN) for name in permissions):
        yield "The default permission of the API lets everybody in."
    if not rest.get("DEFAULT_AUTHENTICATION_CLASSES"):
        yield "The API authenticates nobody by default."
    if settings.PASSWORD_HASHERS[:1] != [ARGON2]:
        yield "Passwords are not hashed with Argon2."
    if len(settings.AUTH_PASSWORD_VALIDATORS) < 3:
        yield "Passwords are hardly validated."
    if settings.DATA_UPLOAD_MAX_MEMORY_SIZE is None:
        yield "Bodies have no limit."


def _policy() -> Iterator[str]:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    sources: Any = directives.get("script-src", ["*"])
    scripts = [str(source) for source in sources]
    if any("unsafe" in source or source == "*" for source in scripts):
        yield "The content security policy lets foreign scripts run."
    if settings.X_FRAME_OPTIONS != "DENY":
        yield "Pages can be framed by others."
    needed = {
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "csp.middleware.CSPMiddleware",
    }
    for name in sorted(needed - set(settings.MIDDLEWARE)):
        yield f"{name} is missing."


FINDERS: tuple[Callable[[], Iterator[str]], ...] = (
    _hosts,
    _secrets,
    _https,
    _database,
    _access,
    _policy,
)


@register(deploy=True)
def refuse_unsafe_settings(**kwargs: Any) -> list[CheckMessage]:
    """Return one error for each unsafe setting."""
    return [Error(found, id="oms.E001") for find in FINDERS for found in find()]
