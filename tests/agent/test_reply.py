"""The reply format: what the parser takes, what it reports, and that rendering is its inverse."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.paths import collision_key, path_problem
from agent.reply import ParsedReply, ReplyParser, SourceFile, parse, render
from validators.rules.base import Rule
from validators.rules.reply import RULES

REPLIES = Path(__file__).parents[2] / "fixtures" / "replies"

A = SourceFile("backend/a.py", "A = 1\n")
B = SourceFile("backend/b.py", "B = 2\n")


def block(path: str, code: str, fence: str = "```") -> str:
    return f"{path}\n{fence}python\n{code}{fence}\n"


A_TEXT = block(A.path, A.code)
B_TEXT = block(B.path, B.code)


def codes(parsed: ParsedReply) -> list[str]:
    return [finding.code for finding in parsed.findings]


def places(parsed: ParsedReply) -> list[tuple[str, int | None, str]]:
    return [(finding.code, finding.line, finding.path) for finding in parsed.findings]


def fed(chunks: list[str]) -> ParsedReply:
    parser = ReplyParser()
    files = [file for chunk in chunks for file in parser.feed(chunk)]
    files += parser.close()
    return ParsedReply(tuple(files), parser.findings)


# Neither the machine's load nor the first use of Unicode's tables may fail a test.
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# What free-form code and replies are made of: everything that the format gives a meaning to.
FRAGMENTS = st.sampled_from(
    [
        "\n", "\r", "\r\n", "\t", " ", "\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\u2029", "\x00",
        "\ufeff", "`", "``", "```", "````", "`````", "```python", "````python", "```py", "```text",
        "~~~", '"""', "'''", '"', "'", "#", "\\", "x = 1", "text", "backend/a.py", "backend/b.py",
        "backend/../x.py", "backend/A.py", "/etc/passwd.py", "**backend/a.py**", "a.py",
        "\n```\n", "\n```\n\n", "\nbackend/a.py\n```python\n", "\nbackend/b.py\n```python\n",
    ]
)  # fmt: skip
SOUP = st.lists(st.one_of(FRAGMENTS, st.text(max_size=5)), max_size=40).map("".join)
NAMES = st.text("abcXYZ_0é", min_size=1, max_size=8)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: f"backend/{'/'.join(names)}.py")


def lists_of_files() -> st.SearchStrategy[list[SourceFile]]:
    def without_collisions(files: list[SourceFile]) -> list[SourceFile]:
        kept: dict[str, SourceFile] = {}
        folders: dict[str, str] = {}
        for file in files:
            parts = file.path.split("/")
            prefixes = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
            spelled = all(folders.setdefault(collision_key(p), p) == p for p in prefixes)
            if spelled and collision_key(file.path) not in kept:
                kept[collision_key(file.path)] = file
        return list(kept.values())

    file = st.builds(SourceFile, path=PATHS, code=SOUP)
    return st.lists(file, max_size=5).map(without_collisions)


class TestRoundTrip:
    @calm
    @given(lists_of_files())
    def test_parsing_gives_back_what_was_rendered(self, files: list[SourceFile]) -> None:
        parsed = parse(render(files))
        assert list(parsed.files) == files
        assert set(codes(parsed)) <= ({"BP106"} if files else {"BP107"})

    @pytest.mark.parametrize(
        "code",
        [
            "",
            "\n",
            "x",
            "x\n\n",
            "x\r\ny\r\n",
            "x\r",
            "\r",
            "`",
            "```",
            "```\n",
            "````",
            "x\n```\n\nbackend/b.py\n```python\ny\n```\n",
            "x\n\nbackend/b.py\n```python\ny\n",
            '"""\n```\n\nbackend/b.py\n```python\n',
            '"""\n```\n"""\n',
            '"""\n`````python\n`````\n```\n"""',
            "# ```\n    ```\n",
            "\x0c\x1c\u2028x\x85```\u2029",
            "\ufeffx\n",
        ],
    )
    def test_such_code_survives_between_two_files(self, code: str) -> None:
        files = (A, SourceFile("backend/code.py", code), B)
        assert parse(render(files)).files == files

    def test_the_usual_file_has_three_backticks(self) -> None:
        assert render([A, B]) == (
            "backend/a.py\n```python\nA = 1\n```\n\nbackend/b.py\n```python\nB = 2\n```\n"
        )

    def test_a_longer_closing_fence_says_that_the_last_line_has_no_end(self) -> None:
        assert render([SourceFile("backend/a.py", "A = 1")]) == (
            "backend/a.py\n```python\nA = 1\n````\n"
        )

    @pytest.mark.parametrize("path", ["a.py", "backend/../a.py", "backend/a\nb.py", ""])
    def test_a_path_that_a_reply_may_not_name_is_not_rendered(self, path: str) -> None:
        with pytest.raises(ValueError, match="the path"):
            render([SourceFile(path, "")])


class TestIncrementality:
    @calm
    @given(st.data(), SOUP)
    def test_the_result_does_not_depend_on_the_chunks(self, data: st.DataObject, text: str) -> None:
        places = st.integers(0, len(text))
        cuts = sorted(data.draw(st.lists(places, max_size=8)))
        chunks = [text[i:j] for i, j in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        whole = parse(text)
        assert fed(chunks) == whole
        assert fed(list(text)) == whole

    def test_a_file_comes_with_its_closing_fence(self) -> None:
        parser = ReplyParser()
        assert parser.feed("backend/a.py\n```python\nA = 1\n```") == []
        assert parser.feed("\n") == [A]

    def test_a_fence_inside_a_docstring_waits_for_what_follows(self) -> None:
        parser = ReplyParser()
        code = '"""Doc.\n```\n'
        assert parser.feed(f"backend/a.py\n```python\n{code}```\n\nbackend/b.py\n") == []
        assert parser.feed("```python\n") == [SourceFile("backend/a.py", code)]

    def test_a_closed_parser_reads_no_more(self) -> None:
        parser = ReplyParser()
        parser.close()
        assert parser.close() == []
        with pytest.raises(ValueError, match="closed"):
            parser.feed("x")

    def test_reading_a_long_line_in_small_chunks_is_quick(self) -> None:
        parser = ReplyParser()
        for _ in range(200_000):
            parser.feed("xxxx")
        assert parser.close() == []


class TestArbitraryText:
    @calm
    @given(st.text())
    def test_never_raises(self, text: str) -> None:
        parse(text)

    @calm
    @given(SOUP)
    def test_gives_usable_files_or_a_finding(self, text: str) -> None:
        parsed = parse(text)
        paths = [file.path for file in parsed.files]
        assert not [path for path in paths if path_problem(path)]
        assert len({collision_key(path) for path in paths}) == len(paths)
        assert parsed.files or any(f.severity == "error" for f in parsed.findings)

    @calm
    @given(SOUP)
    def test_findings_name_lines_of_the_text(self, text: str) -> None:
        lines = text.count("\n") + 1
        for finding in parse(text).findings:
            assert finding.line is not None
            assert 1 <= finding.line <= lines


class TestFences:
    def test_fences_inside_a_docstring_are_code(self) -> None:
        code = '"""Usage.\n\n```python\nimport a\n```\n\n```\npip install a\n```\n"""\n\nA = 1\n'
        parsed = parse(block("backend/a.py", code) + "\n" + B_TEXT)
        assert parsed == ParsedReply((SourceFile("backend/a.py", code), B), ())

    def test_a_name_above_a_fence_inside_a_docstring_is_code(self) -> None:
        code = "'''\n```\nThen in main.py\n```python\nimport a\n```\n'''\n"
        parsed = parse(block("backend/a.py", code))
        assert parsed == ParsedReply((SourceFile("backend/a.py", code),), ())

    @pytest.mark.parametrize(
        "code",
        [
            "'''\nbackend/b.py\n```python\nimport a\n```\nEnd.\n'''\n",
            "# A comment that ends with \\\n'''\n```\nx\n'''\n",
        ],
    )
    def test_a_heading_or_fence_in_any_docstring_is_code(self, code: str) -> None:
        parsed = parse(block("backend/a.py", code))
        assert parsed == ParsedReply((SourceFile("backend/a.py", code),), ())

    def test_a_fence_that_path_and_fence_follow_closes_even_an_open_docstring(self) -> None:
        parsed = parse(block("backend/a.py", '"""Doc.\n') + B_TEXT)
        assert parsed == ParsedReply((SourceFile("backend/a.py", '"""Doc.\n'), B), ())

    @pytest.mark.parametrize(
        "code",
        ['x = "\\"" # """\n', "y = '''a''' \"b\" # '''\n", 'z = """a\\"""b"""\n', "''''''\n"],
    )
    def test_quotes_in_comments_and_strings_open_nothing(self, code: str) -> None:
        assert parse(f"{block('backend/a.py', code)}Bye.\n").files == (
            SourceFile("backend/a.py", code),
        )

    def test_a_string_continued_by_a_backslash_is_open(self) -> None:
        code = "x = 'a\\\n```\nb'\n"
        assert parse(block("backend/a.py", code)).files == (SourceFile("backend/a.py", code),)

    def test_longer_fences_hold_shorter_ones(self) -> None:
        code = "A = 1\n```\nbackend/b.py\n```python\nB = 2\n```\n"
        parsed = parse(block("backend/a.py", code, "`````"))
        assert parsed == ParsedReply((SourceFile("backend/a.py", code),), ())

    def test_blanks_after_a_fence_and_a_path_are_nothing(self) -> None:
        text = "\n \nbackend/a.py \t\n```python \nA = 1\n```  \n\n\t\n"
        assert parse(text) == ParsedReply((A,), ())

    def test_the_last_line_needs_no_end(self) -> None:
        assert parse("backend/a.py\n```python\nA = 1\n```") == ParsedReply((A,), ())

    def test_a_byte_order_mark_before_the_reply_is_nothing(self) -> None:
        assert parse("\ufeff" + A_TEXT) == ParsedReply((A,), ())


class TestLineEnds:
    def test_a_reply_with_crlf_gives_code_with_line_feeds(self) -> None:
        text = block("backend/a.py", "A = 1\n\nB = '''\n```\nx'''\n").replace("\n", "\r\n")
        parsed = parse(text)
        assert parsed == ParsedReply(
            (SourceFile("backend/a.py", "A = 1\n\nB = '''\n```\nx'''\n"),), ()
        )

    def test_crlf_in_the_code_alone_is_kept(self) -> None:
        parsed = parse("backend/a.py\n```python\nA = 1\r\n```\n")
        assert parsed == ParsedReply((SourceFile("backend/a.py", "A = 1\r\n"),), ())


class TestTextOutsideFiles:
    def test_each_run_of_lines_is_one_warning(self) -> None:
        text = f"Sure!\n\nHere:\n\n{A_TEXT}Next\n\n{B_TEXT}\nBye.\n"
        parsed = parse(text)
        assert parsed.files == (A, B)
        assert places(parsed) == [("BP101", 1, ""), ("BP101", 9, ""), ("BP101", 16, "")]
        assert parsed.findings[0].message == "Lines 1 to 3 lie outside any file."

    def test_a_shell_block_is_text(self) -> None:
        parsed = parse(A_TEXT + "Run:\n```bash\nls\n```\n")
        assert parsed.files == (A,)
        assert places(parsed) == [("BP101", 5, "")]

    def test_a_fence_around_the_whole_reply_is_text(self) -> None:
        parsed = parse(f"```\n{A_TEXT}```\n")
        assert parsed.files == (A,)
        assert places(parsed) == [("BP101", 1, ""), ("BP101", 6, "")]

    @pytest.mark.parametrize("text", ["", " \n\n", "I cannot do that.\n", "```\n"])
    def test_without_a_file_the_reply_is_an_error(self, text: str) -> None:
        parsed = parse(text)
        assert parsed.files == ()
        assert "BP107" in codes(parsed)


class TestHeadings:
    @pytest.mark.parametrize(
        "heading",
        ["**backend/a.py**", "### `backend/a.py`", "1. backend/a.py:", "File: backend/a.py",
         "# backend/a.py", "  backend/a.py", "backend/a.py\n"],
    )  # fmt: skip
    def test_marks_around_the_path_are_a_warning(self, heading: str) -> None:
        parsed = parse(block(heading, "A = 1\n"))
        assert parsed.files == (A,)
        assert places(parsed) == [("BP108", 1, "backend/a.py")]

    @pytest.mark.parametrize("language", ["", "py", "Python", "json", "python title=a"])
    def test_another_language_is_a_warning(self, language: str) -> None:
        parsed = parse(f"backend/a.py\n```{language}\nA = 1\n```\n")
        assert parsed.files == (A,)
        assert places(parsed) == [("BP108", 1, "backend/a.py")]

    def test_a_sentence_around_the_path_is_no_heading(self) -> None:
        parsed = parse(block("Add this to backend/a.py:", "A = 1\n"))
        assert parsed.files == ()
        assert places(parsed) == [("BP101", 1, ""), ("BP103", 2, "")]

    def test_a_path_far_above_something_else_is_no_heading(self) -> None:
        parsed = parse("backend/a.py\n\n```json\n{}\n```\n")
        assert parsed.files == ()
        assert places(parsed) == [("BP101", 1, ""), ("BP107", 1, "")]

    def test_two_paths_in_one_line_are_no_heading(self) -> None:
        parsed = parse(block("backend/a.py backend/b.py or so", "A = 1\n"))
        assert parsed.files == ()
        assert "BP103" in codes(parsed)

    def test_code_without_a_path_is_left_out_and_the_next_file_is_read(self) -> None:
        parsed = parse("```python\nx\n```\n\n" + A_TEXT)
        assert parsed.files == (A,)
        assert places(parsed) == [("BP103", 1, "")]


class TestIncompleteFiles:
    @pytest.mark.parametrize(
        "tail", ["A = 1\n", "A = ", "", '"""\n```\nx', '"""\n```\nbackend/c.py\n', "``"]
    )
    def test_a_file_without_its_end_is_not_used(self, tail: str) -> None:
        parsed = parse(B_TEXT + "backend/a.py\n```python\n" + tail)
        assert parsed.files == (B,)
        assert places(parsed) == [("BP104", 5, "backend/a.py")]
        assert "token limit" in parsed.findings[0].message

    def test_a_reply_may_end_after_a_path(self) -> None:
        parsed = parse(B_TEXT + "\nbackend/a.py\n")
        assert parsed.files == (B,)
        assert places(parsed) == [("BP104", 6, "backend/a.py")]

    def test_a_missing_closing_fence_costs_one_file(self) -> None:
        parsed = parse("backend/a.py\n```python\nA = 1\n\n" + B_TEXT)
        assert parsed.files == (B,)
        assert places(parsed) == [("BP110", 5, "backend/a.py")]

    @calm
    @given(st.data())
    def test_a_reply_cut_anywhere_gives_whole_files_only(self, data: st.DataObject) -> None:
        text = data.draw(st.sampled_from(sorted(REPLIES.glob("*.md")))).read_text()
        files = parse(text).files
        cut = parse(text[: data.draw(st.integers(0, len(text)))])
        assert cut.files == files[: len(cut.files)]
        assert cut.findings or render(cut.files).rstrip() in text


class TestEmptyFiles:
    @pytest.mark.parametrize("code", ["", "\n", "  \n\t\n"])
    def test_only_init_may_be_empty(self, code: str) -> None:
        parsed = parse(block("backend/a.py", code) + block("backend/x/__init__.py", code))
        assert [file.path for file in parsed.files] == ["backend/a.py", "backend/x/__init__.py"]
        assert places(parsed) == [("BP106", 1, "backend/a.py")]


class TestEncoding:
    def test_half_a_character_is_named_by_its_line(self) -> None:
        parsed = parse(block("backend/a.py", "A = 1\nB = '\ud83d'\n"))
        assert parsed.files == ()
        assert places(parsed) == [("BP109", 4, "backend/a.py")]

    @pytest.mark.parametrize(
        "code",
        ["# coding: utf-7\n", "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\n#é\n",
         "\r# coding=rot13\n", "# coding: no-such-thing\n"],
    )  # fmt: skip
    def test_code_that_python_would_read_otherwise_is_refused(self, code: str) -> None:
        parsed = parse(block("backend/a.py", code))
        assert parsed.files == ()
        assert codes(parsed) == ["BP109"]

    @pytest.mark.parametrize("code", ["# coding: utf-8\n", "# -*- coding: UTF8 -*-\n", "#é\n"])
    def test_utf8_may_be_declared(self, code: str) -> None:
        assert codes(parse(block("backend/a.py", code))) == []


class TestDuplicates:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("backend/a.py", "backend/a.py"),
            ("backend/a.py", "backend/A.py"),
            ("backend/straße.py", "backend/STRASSE.py"),
            ("backend/caf\u00e9.py", "backend/cafe\u0301.py"),
            ("backend/x/a.py", "backend/X/b.py"),
            ("backend/\ufb01.py", "backend/fi.py"),
        ],
    )
    def test_the_first_of_two_is_kept(self, first: str, second: str) -> None:
        parsed = parse(block(first, "A = 1\n") + block(second, "A = 2\n"))
        assert parsed.files == (SourceFile(first, "A = 1\n"),)
        assert places(parsed) == [("BP105", 5, second)]

    def test_a_file_that_was_cut_off_is_no_first_version(self) -> None:
        text = "backend/a.py\n```python\nA = \n\n" + A_TEXT
        assert parse(text).files == (A,)


class TestRules:
    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
    def test_the_bad_example_breaks_exactly_its_rule(self, rule: Rule) -> None:
        findings = parse(rule.bad.code).findings
        assert {finding.code for finding in findings} == {rule.code}
        assert {finding.severity for finding in findings} == {rule.severity}
        lines = rule.bad.code.split("\n")
        marked = [n for n, line in enumerate(lines, 1) if line.endswith(f"# {rule.code}")]
        assert not marked or [finding.line for finding in findings] == marked

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
    def test_the_good_example_breaks_none(self, rule: Rule) -> None:
        parsed = parse(rule.good.code)
        assert parsed.files
        assert parsed.findings == ()


class TestRecordedReplies:
    def test_there_is_one_for_each_request(self) -> None:
        requests = json.loads((REPLIES / "requests.json").read_text())
        assert sorted(requests) == sorted(path.stem for path in REPLIES.glob("*.md"))

    @pytest.mark.parametrize("path", sorted(REPLIES.glob("*.md")), ids=lambda path: path.stem)
    def test_parses_without_a_finding_and_is_rendered_as_it_was(self, path: Path) -> None:
        text = path.read_text()
        parsed = parse(text)
        assert parsed.findings == ()
        assert len(parsed.files) == text.count("\n```python\n")
        assert parse(render(parsed.files)) == parsed
