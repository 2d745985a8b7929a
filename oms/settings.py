"""Settings of the portal, all from the environment, each with a default that runs.

Without DATABASE_URL, BROKER_URL, CHANNEL_URL and CACHE_URL the embedded servers are used;
where they listen is read from `var/run.json`, which `manage.py up` writes.
"""

import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF

from oms.embedded import broker_url, database_of, read_run_file, secret_of, valkey_url
from oms.logs import configure as configure_logs
from oms.schedule import SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

VAR_DIR = Path(env("OMS_VAR", default=str(BASE_DIR / "var"))).absolute()
_run = read_run_file(VAR_DIR)
EMBEDDED = not env("DATABASE_URL", default="")

# --- Safety -------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="") or secret_of(VAR_DIR, "secret_key")
TOKEN_KEY = env("TOKEN_KEY", default="") or secret_of(VAR_DIR, "token_key")
AUDIT_KEY = env("AUDIT_KEY", default="") or secret_of(VAR_DIR, "audit_key")
AUDIT_CHECKPOINTS = Path(
    env("AUDIT_CHECKPOINTS", default=str(VAR_DIR / "audit-checkpoints.jsonl"))
)
FOUR_EYES = frozenset(env.list("FOUR_EYES", default=[]))
TOKEN_KEYS_PAST = env.list("TOKEN_KEYS_PAST", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
CSRF_FAILURE_VIEW = "oms.errors.csrf_failed"

# --- Apps ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    # Serves `runserver` only: it costs every other process memory and time to start.
    *(["daphne"] if "runserver" in sys.argv else []),
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "rest_framework",
    "template_partials",
    "apps.core",
    "apps.audit",
    "apps.configuration",
    "apps.approvals",
    "apps.accounts",
    "apps.network",
    "apps.payments",
    "apps.metering",
    "apps.alerts",
    "apps.tariffs",
    "apps.billing",
    "apps.outages",
    "apps.sla",
    "apps.crews",
    "apps.inspections",
    "apps.twin",
    "apps.analytics",
    "apps.agents",
    "apps.notifications",
    "apps.webhooks",
    "apps.realtime",
    "apps.portal",
    "apps.feeds",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "oms.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "oms.middleware.relaxed_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "oms.middleware.actor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "oms.middleware.Confirmation",
    "oms.middleware.rate_limits",
]

ROOT_URLCONF = "oms.urls"
ASGI_APPLICATION = "oms.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- Database -----------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": database_of(_run, VAR_DIR) if EMBEDDED else env.db("DATABASE_URL"),
}
STATEMENT_TIMEOUT = env("STATEMENT_TIMEOUT", default="60s")
DATABASES["default"].update(
    CONN_MAX_AGE=0,
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        "options": (
            f"-c statement_timeout={STATEMENT_TIMEOUT} -c lock_timeout=10s "
            "-c idle_in_transaction_session_timeout=60s"
        ),
        # Prepared is what asks for it, however often the rest comes: without a threshold
        # psycopg prepares nothing, even where it is told to.
        "prepare_threshold": 10**9 if env.bool("DATABASE_PREPARED", default=True) else None,
    },
)
if env.bool("DATABASE_POOL", default=False):
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=12),
        "timeout": 5,
    }

# Where the web processes of one machine hand single events to the one of them that leads.
CALLS_SOCKET = Path(_calls) if (_calls := env("CALLS_SOCKET", default="")) else None

# --- Broker, cache, channels --------------------------------------------------------------
CELERY_BROKER_URL = env("BROKER_URL", default=broker_url(_run, VAR_DIR))
CHANNEL_URL = env("CHANNEL_URL", default=valkey_url(_run, VAR_DIR, 1))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env("CACHE_URL", default=valkey_url(_run, VAR_DIR, 2)),
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [
                {"address": CHANNEL_URL, "socket_timeout": None, "max_connections": 100_000}
            ],
            "capacity": 2_000,
            "expiry": 30,
        },
    }
}

_VISIBILITY = {"visibility_timeout": 60}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **_VISIBILITY,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = _VISIBILITY
CELERY_VISIBILITY_TIMEOUT = 60
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")
CELERY_BEAT_SCHEDULE = SCHEDULE

# --- Who ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True
LOGIN_URL = "portal:sign-in"
LOGIN_REDIRECT_URL = "portal:overview"
LOGOUT_REDIRECT_URL = "portal:sign-in"

# --- Mail ---------------------------------------------------------------------------------
# Without EMAIL_URL messages are filed, and an admin reads them on a page.
MAIL_FOLDER = VAR_DIR / "mail"
EMAIL_FILED = not env("EMAIL_URL", default="")
if EMAIL_FILED:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(MAIL_FOLDER)
else:
    vars().update(env.email("EMAIL_URL"))
DEFAULT_FROM_EMAIL = env("MAIL_FROM", default="oms@localhost")

# --- API ----------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.api.authentication.BearerAuthentication",
        "apps.api.authentication.PageAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.ContractSchema",
    "EXCEPTION_HANDLER": "apps.api.problems.handle",
    "DEFAULT_METADATA_CLASS": None,
    "UNAUTHENTICATED_USER": None,
    "UNICODE_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OMS",
    "DESCRIPTION": "Operations portal for utilities and network operators.",
    "VERSION": "1.0.0",
    "SERVE_PUBLIC": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AssignmentStatus": "apps.crews.rules.AssignmentStatus.values",
        "NoticeStatus": "apps.notifications.rules.Progress.values",
        "OutageStatus": "apps.outages.rules.Status.values",
        "PingState": "apps.outages.rules.verification.PingState.values",
        "VerificationState": "apps.outages.rules.verification.VerificationState.values",
        "EventSource": "apps.outages.rules.Source.values",
        "EventSourceWord": "apps.api.oms.serializers.events.SOURCE_WORDS",
    },
}

UNFOLD = {"SITE_TITLE": "OMS", "SITE_HEADER": "OMS", "SITE_URL": "/"}

# --- Language and time --------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files -------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static", BASE_DIR / "build" / "vendor"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Logs ---------------------------------------------------------------------------------
LOG_LEVEL = env("LOG_LEVEL", default="INFO")
DJANGO_STRUCTLOG_CELERY_ENABLED = False
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "oms.logs.json_formatter"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["out"], "level": LOG_LEVEL},
    "loggers": {"django.server": {"handlers": ["out"], "propagate": False}},
}
configure_logs()
