"""Frozen classes are what dataclasses are, at less cost."""

from dataclasses import field, replace

from validators.frozen import HashedOnce, frozen


@frozen
class Point:
    """A point; its label does not tell it from another."""

    x: int
    y: int = 0
    label: str = field(default="", compare=False)


@frozen
class Other:
    """Has the same fields."""

    x: int
    y: int = 0


@frozen
class Folded:
    """Is equal by its own rule."""

    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Folded) and self.text.lower() == other.text.lower()

    def __hash__(self) -> int:
        return hash(self.text.lower())


@frozen(kw_only=True)
class Named:
    """Takes its fields by name."""

    x: int


def test_equal_fields_make_equal_objects_of_one_class() -> None:
    assert Point(1, 2) == Point(1, 2, "other label") != Point(1, 3)
    assert {Point(1), Point(1, 0), Point(2)} == {Point(1), Point(2)}
    other: object = Other(1)
    assert Point(1) != other


def test_a_rule_of_its_own_is_kept() -> None:
    assert Folded("A") == Folded("a")
    assert len({Folded("A"), Folded("a")}) == 1


def test_fields_can_be_replaced_matched_and_shown() -> None:
    match replace(Point(1, 2), x=3):
        case Point(x, y):
            assert (x, y) == (3, 2)
    assert repr(Point(1)) == "Point(x=1, y=0, label='')"
    assert repr(Named(x=1)) == "Named(x=1)"
    assert not hasattr(Point(1), "__dict__")


@frozen
class Tree(HashedOnce):
    """Is as deep as wanted."""

    parts: tuple["Tree", ...] = ()
    label: str = field(default="", compare=False)


def test_a_deep_hash_is_computed_once() -> None:
    tree = Tree()
    for _ in range(200):
        # Without memory, this would be hashed 2 to the power of 200 times.
        tree = Tree((tree, tree))
        hash(tree)
    assert hash(tree) == hash(replace(tree, label="another")) != hash(Tree())
    assert {Tree(): 1}[Tree(label="another")] == 1
