"""Where QuestDB is and who we are there. Pure.

In:   one or two URLs, as the settings have them.
Out:  a QuestDBAddress, which shows no password when it is printed.
Failures: ValueError that says what is wrong with which URL, without repeating it.
"""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

HTTP_PORT = 9000
PG_PORT = 8812
DATABASE = "qdb"
DEFAULT_USER = "admin"
DEFAULT_PASSWORD = "quest"  # noqa: S105 QuestDB's own, which everybody knows


@dataclass(frozen=True, slots=True)
class QuestDBAddress:
    """QuestDB's two doors: HTTP, through which is written, and PostgreSQL's protocol, through which is read."""

    host: str
    http_port: int = HTTP_PORT
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    pg_host: str = "localhost"
    pg_port: int = PG_PORT
    pg_user: str = DEFAULT_USER
    pg_password: str = field(default=DEFAULT_PASSWORD, repr=False)
    pg_tls: bool = False
    database: str = DATABASE

    @classmethod
    def of(cls, url: str, pg_url: str | None = None) -> QuestDBAddress:
        """Return the address of `http(s)://[user:password@]host[:9000]`.

        Without `pg_url`, `postgresql://user:password@host[:8812][/qdb][?sslmode=require]`, it is the same host with
        the same user, or QuestDB's own default user.
        """
        http = _split("questdb_url", url, ("http", "https"))
        tls = http.scheme == "https"
        if pg_url is None:
            pg, pg_tls = http, tls
        else:
            pg = _split("questdb_pg_url", pg_url, ("postgresql", "postgres"))
            pg_tls = "sslmode=require" in pg.query or "sslmode=verify" in pg.query
        return cls(
            host=str(http.hostname),
            http_port=http.port or HTTP_PORT,
            user=_decoded(http.username),
            password=_decoded(http.password),
            tls=tls,
            pg_host=str(pg.hostname),
            pg_port=PG_PORT if pg is http else pg.port or PG_PORT,
            pg_user=_decoded(pg.username) or DEFAULT_USER,
            pg_password=_decoded(pg.password) or DEFAULT_PASSWORD,
            pg_tls=pg_tls,
            database=DATABASE if pg is http else pg.path.strip("/") or DATABASE,
        )

    def __str__(self) -> str:
        """Return what a person may see of it."""
        return f"{self.host}:{self.http_port}"


def _split(name: str, url: str, schemes: tuple[str, ...]) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"{name} is not a URL") from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise ValueError(f"{name} must look like {schemes[0]}://user:password@host:port")
    return parts


def _decoded(text: str | None) -> str | None:
    return None if text is None else unquote(text)
