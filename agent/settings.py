"""Settings: options win over the environment, which wins over `[tool.backendpro]`."""

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

import validators
from agent.auth import Auth
from agent.errors import InputError
from agent.given import PREFIX, Given, Values, read_given
from validators import ownership


def _split(names: object) -> object:
    """Return the names of a comma-separated list, as a variable of the environment holds it."""
    return (
        tuple(name for name in re.split(r"[,\s]+", names) if name)
        if isinstance(names, str)
        else names
    )


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Settings(BaseModel):
    """Everything that can be set, with its default.

    Attributes:
        model: Who answers: `offline`, `haiku`, `sonnet`, `opus`, `recorded:FILE`, a model id;
            None for Claude where a key is set and the offline model elsewhere.
        rounds: How often findings go back to the model before the build gives up.
        user_id: Type of `User.id` in generated backends; Better Auth makes it text.
        auth: How generated backends learn who is signed in; None for what the backend does
            already, and for `better-auth` in a new one.
        app: The app as `module:attribute`; None to find it.
        coverage: The share of the routes that the probes must exercise for a pass, from 0 to 1.
        max_output_tokens: The longest reply that Claude may give, in tokens.
        owner_columns: More names of columns that hold the owner's id without a foreign key.
        public_models: Table models whose rows everybody may read.
        identity_dependencies: Dotted names of dependencies of other packages that return the
            verified user or its id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(min_length=1)] | None = None
    rounds: Annotated[int, Field(ge=0, le=20)] = 3
    user_id: Literal["text", "int", "uuid"] = "text"
    auth: Auth | None = None
    app: str | None = None
    coverage: Annotated[float, Field(ge=0, le=1)] = 0.9
    max_output_tokens: Annotated[int, Field(ge=1_000, le=1_000_000)] = 32_000
    owner_columns: Names = ()
    public_models: Names = ()
    identity_dependencies: Names = ()

    def check_options(
        self, python: Path | None = None, *, is_static: bool = False
    ) -> validators.CheckOptions:
        """Return how a backend with these settings is checked."""
        declared = ownership.ProofOptions(
            owner_columns=ownership.ProofOptions().owner_columns | set(self.owner_columns),
            identity_dependencies=frozenset(self.identity_dependencies),
            public_models=frozenset(self.public_models),
        )
        return validators.CheckOptions(
            app=self.app,
            python=python,
            is_static=is_static,
            user_id=self.user_id,
            coverage=self.coverage,
            declared=declared,
        )


def load_settings(folder: Path, options: Values | None = None) -> Settings:
    """Gather the settings for one command.

    Args:
        folder: The backend's folder; its `pyproject.toml` is read, or else that of the current
            folder.
        options: What was given on the command line; None values count as not given.

    Raises:
        agent.errors.InputError: A setting is unknown or has a wrong value; the message says
            where it stands.
    """
    return settings_of(read_given(folder, options))


def settings_of(given: Given) -> Settings:
    """Validate what was set, as `load_settings` does."""
    _refuse_unknown(given.table, f"[tool.backendpro] in {given.file}", "")
    _refuse_unknown(given.environment, "the environment", PREFIX)
    try:
        return _gather(given)
    except ValidationError as error:
        raise InputError(_explain(error, given)) from error


def _gather(given: Given) -> Settings:
    if not given:
        return Settings()
    # Imported here because it takes as long as a whole static check.
    from pydantic_settings import (  # noqa: PLC0415
        BaseSettings,
        InitSettingsSource,
        PydanticBaseSettingsSource,
        SettingsConfigDict,
    )

    class Sources(BaseSettings, Settings):
        model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", enable_decoding=False)

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del dotenv_settings, file_secret_settings
            return init_settings, env_settings, InitSettingsSource(settings_cls, dict(given.table))

    return Settings.model_validate(Sources(**given.options).model_dump())


def _refuse_unknown(values: Values, where: str, prefix: str) -> None:
    known = list(Settings.model_fields)
    for key in sorted(set(values) - set(known)):
        near = difflib.get_close_matches(key, known, n=1)
        shown = [_written(name, prefix) for name in (near or known)]
        hint = f"Did you mean {shown[0]}?" if near else f"The settings are {', '.join(shown)}."
        raise InputError(f"{_written(key, prefix)} in {where} is not a setting.", hint)


def _written(key: str, prefix: str) -> str:
    return f"`{prefix}{key.upper()}`" if prefix else f"`{key}`"


def _explain(error: ValidationError, given: Given) -> str:
    first = error.errors()[0]
    key = str(first["loc"][0])
    if key in given.options:
        where = f"--{key.replace('_', '-')}"
    elif key in given.environment:
        where = f"{PREFIX}{key.upper()}"
    else:
        where = f"`{key}` in [tool.backendpro] of {given.file}"
    message = first["msg"]
    return f"{where}: {message[:1].lower()}{message[1:]}, not {first['input']!r}."
