import re
from pathlib import Path

import pytest

from app.config import Settings, SettingsError, load_settings
from app.database.migrations import ROOT

GOOD = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://plinth:fJ8s2@db.internal/plinth",
    "SECRET_KEY": "kQ3v9Zt7Lw2Xr5Np8Bs1Hd6Yf4Jc0Gm_",
}
SET_BY_SOME = ("CORS_ORIGINS", "FRONTEND_URL", "SMTP_URL", "TRUSTED_PROXIES", "ALLOW_UNSAFE")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [*GOOD, *SET_BY_SOME, "THROTTLE_ENABLED", "DATA_DIR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def set_all(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_each_way_to_write_a_database_url(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://u:p@host/name")
    url = load_settings().database_url
    assert url is not None
    assert url.get_secret_value() == "postgresql+asyncpg://u:p@host/name"


def test_a_url_as_hosters_write_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p%40@host/name?sslmode=require")
    url = load_settings().database_url
    assert url is not None
    assert url.get_secret_value() == "postgresql+asyncpg://u:p%40@host/name?ssl=require"


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgresql://u:p4ss@host:port/name", "must look like postgresql://user:password@host"),
        ("postgresql://u:p4ss@host:70000/name", "must look like postgresql://user:password@host"),
        ("postgresql://u:p4ss@[::1/name", "must look like postgresql://user:password@host"),
        ("postgresql+psycopg://u:p4ss@host/name", "must look like postgresql://user:password@host"),
        ("postgresql://u:p4@ss@host/name", "has more than one @: write those of the password as"),
        ("postgresql://u:p4ss@host/name?sslrootcert=a&b=1", "does not take b, sslrootcert"),
        ("postgresql://u:p4ss@host/name?sslmode=yes", "takes as sslmode one of allow, disable"),
    ],
)
def test_a_url_that_is_none_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert str(raised.value).startswith(f"DATABASE_URL: {complaint}")
    assert "p4" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_secrets_are_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, GOOD)
    assert "fJ8s2" not in repr(load_settings())
    assert GOOD["SECRET_KEY"] not in repr(load_settings())


def test_a_production_that_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, GOOD)
    settings = load_settings()
    assert (settings.show_docs, settings.json_logs) == (False, True)


def test_an_unsafe_production_is_refused_with_a_line_for_each_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(monkeypatch, {"ENVIRONMENT": "production", "THROTTLE_ENABLED": "false"})
    with pytest.raises(SettingsError) as raised:
        load_settings()
    names = [line.partition(":")[0] for line in str(raised.value).splitlines()]
    assert names == ["DATABASE_URL", "SECRET_KEY", "THROTTLE_ENABLED"]


DOUBTFUL = [
    ("CORS_ORIGINS", {"CORS_ORIGINS": "https://app.example.com,*"}),
    ("FRONTEND_URL", {"FRONTEND_URL": "http://example.com", "SMTP_URL": "smtp://mail.internal"}),
    ("TRUSTED_PROXIES", {"TRUSTED_PROXIES": "10.0.0.0/8,0.0.0.0/0"}),
    ("TRUSTED_PROXIES", {"TRUSTED_PROXIES": "128.0.0.0/1"}),
    ("TRUSTED_PROXIES", {"TRUSTED_PROXIES": "::/0"}),
    ("SMTP_URL", {"FRONTEND_URL": "https://example.com"}),
]


@pytest.mark.parametrize(("name", "values"), DOUBTFUL)
def test_what_is_doubtful_in_production_has_to_be_meant(
    monkeypatch: pytest.MonkeyPatch, name: str, values: dict[str, str]
) -> None:
    set_all(monkeypatch, GOOD | values)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    [line] = str(raised.value).splitlines()
    assert line.startswith(f"{name}: ")
    assert line.endswith(f"ALLOW_UNSAFE={name}")
    monkeypatch.setenv("ALLOW_UNSAFE", name)
    load_settings()
    monkeypatch.delenv("ALLOW_UNSAFE")
    monkeypatch.setenv("ENVIRONMENT", "development")
    load_settings()


def test_what_is_usual_in_production_is_not_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {
        "CORS_ORIGINS": "https://app.example.com",
        "FRONTEND_URL": "https://example.com",
        "SMTP_URL": "smtps://mail.internal",
        "TRUSTED_PROXIES": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,203.0.113.7",
    }
    set_all(monkeypatch, GOOD | usual)
    load_settings()


def test_each_of_several_secret_keys_has_to_be_good(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "Zt7Lw2Xr5Np8Bs1Hd6Yf4Jc0Gm_kQ3v9"
    set_all(monkeypatch, GOOD | {"SECRET_KEY": f"{other}, {GOOD['SECRET_KEY']}"})
    assert load_settings().secret_keys == [other, GOOD["SECRET_KEY"]]
    for bad in ("", "short", "changethis-changethis-changethis!"):
        monkeypatch.setenv("SECRET_KEY", f"{other},{bad}")
        with pytest.raises(SettingsError, match=r"^SECRET_KEY: "):
            load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://host/name"),
        ("DATABASE_URL", "postgresql://user:password@localhost/app"),
        ("SECRET_KEY", "changethis-changethis-changethis!"),
        ("SECRET_KEY", "kQ3v9Zt7Lw2Xr5Np"),
        ("SECRET_KEY", "a" * 40),
        ("PORT", "70000"),
        ("ENVIRONMENT", "live"),
        ("ROOT_PATH", "api"),
        ("ROOT_PATH", "/api/"),
        ("ROOT_PATH", "//evil.example"),
        ("ROOT_PATH", "/a?b"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    set_all(monkeypatch, GOOD | {name: value})
    with pytest.raises(SettingsError, match=f"^{name}: ") as raised:
        load_settings()
    assert value not in str(raised.value)


def test_credentials_from_any_origin_are_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(monkeypatch, {"CORS_ORIGINS": "https://app.example,*", "CORS_CREDENTIALS": "true"})
    with pytest.raises(SettingsError, match=r"^CORS_CREDENTIALS: .*CORS_ORIGINS=\*") as raised:
        load_settings()
    assert "\n" not in str(raised.value)
    monkeypatch.setenv("CORS_ORIGINS", "https://app.example")
    assert load_settings().cors_credentials


def test_the_headers_of_other_origins_are_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_HEADERS", "X-Tenant, traceparent")
    assert load_settings().cors_headers == ["X-Tenant", "traceparent"]
    monkeypatch.setenv("CORS_HEADERS", "X Tenant")
    with pytest.raises(SettingsError, match=r"^CORS_HEADERS.*must be names of headers") as raised:
        load_settings()
    assert "X Tenant" not in str(raised.value)


def test_development_keeps_a_secret_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    first = load_settings().secret_key.get_secret_value()
    assert len(first) >= 32
    assert load_settings().secret_key.get_secret_value() == first
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_example_names_every_setting_and_changes_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    example = (ROOT / ".env.example").read_text()
    names = re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    before = load_settings()
    (tmp_path / ".env").write_text(example)
    assert load_settings() == before


def test_mail_comes_from_the_application_unless_another_sender_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APP_NAME", "Quokka, Inc.")
    assert load_settings().sender == '"Quokka, Inc." <no-reply@localhost>'
    monkeypatch.setenv("MAIL_FROM", "Support <help@example.com>")
    assert load_settings().sender == "Support <help@example.com>"
