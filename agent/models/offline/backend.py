"""What new code finds around it, in a new backend or an existing one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.models.offline.blueprint import FieldSpec
from agent.models.offline.importing import Catalogue, Import
from agent.models.offline.naming import class_name


@dataclass(frozen=True, slots=True)
class ExistingModel:
    """A table model of an existing backend.

    Attributes:
        name: Its class name.
        table: Name of its table.
        id_type: Type of its primary key.
        owner: Its column that refers to the user, or None.
        fields: Its columns, as far as their kind is plain.
        choice_types: The type of each choice's column.
    """

    name: str
    table: str
    id_type: str
    owner: str | None
    fields: tuple[FieldSpec, ...]
    choice_types: Mapping[str, str]


@dataclass(frozen=True)
class Backend:
    """What the new code finds around it.

    Attributes:
        files: Code of the existing files by path, relative to the backend.
        user_model: Class name of the user's table model.
        user_table: Name of its table.
        user_id: Type of its key.
        user_columns: Its columns that a user may see, with their types.
        session: The session dependency.
        current_user: The dependency that returns the signed-in user.
        names: Where names can be imported from that new code may reuse.
        models: The table models by class name, without the user's.
    """

    user_id: str
    files: Mapping[str, str] = field(default_factory=dict)
    user_model: str = "User"
    user_table: str = "user"
    user_columns: Mapping[str, str] = field(default_factory=lambda: {"name": "str", "email": "str"})
    session: Import = field(default=Import("database", "get_db"))
    current_user: Import = field(default=Import("dependencies", "get_current_user"))
    names: Catalogue = field(default_factory=dict)
    models: Mapping[str, ExistingModel] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether there is nothing yet."""
        return not self.files

    def find_model(self, singular: str, plural: str = "") -> ExistingModel | None:
        """Return the table model of a resource, by its class name or its table's."""
        for model in self.models.values():
            if model.name == class_name(singular) or model.table in {singular, plural}:
                return model
        return None
