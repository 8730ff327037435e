"""The templates, and the helpers that they call."""

import re
from functools import cache
from typing import TYPE_CHECKING

from agent.models.offline.formatting import bracketed
from agent.models.offline.importing import Catalogue, add_imports, from_import

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> str:
    """Write a template's code, without imports unless it holds them itself."""
    code = _templates().get_template(f"{template}.jinja").render(**values)
    # Parts that are left out leave their empty lines behind.
    return re.sub(r"\n{4,}", "\n\n\n", code)


def render_module(template: str, catalogue: Catalogue, **values: object) -> str:
    """Write a module from a template, with an import for each name of the catalogue it uses."""
    return add_imports(render(template, **values), catalogue)


@cache
def _templates() -> "Environment":
    # Imported here because only a build with the offline model needs it.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    templates = Environment(  # noqa: S701 - what is written is Python, not HTML
        loader=PackageLoader("agent.models.offline"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals |= {"bracketed": bracketed, "from_import": from_import}
    return templates
