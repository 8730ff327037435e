"""What a settings class demands is filled with harmless values that it takes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validators.runtime.backends import boot_findings, booted, plain
from validators.runtime.placeholders import harmless

# A settings class that takes nothing but what fits.
SETTINGS = """from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Literal, Optional
from uuid import UUID

from pydantic import EmailStr, Field, HttpUrl, PostgresDsn, RedisDsn, SecretStr
from pydantic_settings import BaseSettings


class Mode(str, Enum):
    dev = "dev"
    prod = "prod"


class Settings(BaseSettings):
    NAME: TYPE


settings = Settings()
"""
TYPES = (
    "int", "float", "bool", "str", "list[str]", "dict[str, int]", "set[int]", "tuple[int, str]",
    "tuple[str, ...]", 'Literal["info", "debug"]', "Mode", "HttpUrl", "EmailStr", "timedelta",
    "Path", "Decimal", "date", "str | None", "Optional[int]", "RedisDsn", "PostgresDsn",
    "IPv4Address", "UUID", "SecretStr", "Annotated[int, Field(ge=100, le=200)]",
    "Annotated[float, Field(gt=0, lt=1)]", "Annotated[str, Field(min_length=32)]",
    "int = Field(ge=1000)", "str = Field(..., min_length=40)",
)  # fmt: skip


def test_every_type_gets_a_value_that_it_takes(tmp_path: Path) -> None:
    fields = "\n    ".join(f"setting_{number}: {kind}" for number, kind in enumerate(TYPES))
    code = SETTINGS.replace("NAME: TYPE", fields)
    with booted(tmp_path, plain(before=code)) as (app, findings):
        assert app is not None, findings


def test_a_value_that_cannot_be_made_is_one_finding(tmp_path: Path) -> None:
    code = SETTINGS.replace("NAME: TYPE", 'release: str = Field(pattern="^v[0-9]+$")')
    (finding,) = boot_findings(tmp_path, plain(before=code))
    assert finding.code == "BP502"
    assert finding.message.startswith("The check has no value for RELEASE that the settings class")


@pytest.mark.parametrize(
    ("name", "value"),
    [("SITE_URL", "http://localhost:3000"), ("SENDER_EMAIL", "nobody@example.com"), ("X", "p")],
)
def test_a_text_is_filled_by_its_name(name: str, value: str) -> None:
    assert harmless(name, "str").startswith(value)


@given(st.text())
def test_any_annotation_has_a_value(annotation: str) -> None:
    assert isinstance(harmless("NAME", annotation), str)
