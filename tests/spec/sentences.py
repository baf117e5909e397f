"""The sentences of the OP specifications that state a rule, and a short digest of each."""

import hashlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

FOLDER = "specs/protocol"
_RULE = re.compile(
    r"\b(must|shall|required|cannot|may not|never|drop(s|ped|ping)?|ignored?|invalid|undecided|future|reject(s|ed)?)\b",
    re.IGNORECASE,
)
_END = re.compile(r"(?<=[.:;])\s+(?=[A-Z`_*(])")
_ITEM = re.compile(r"\s*(?:[-*]|\d+\.)\s")


class SpecsError(ValueError):
    """The specifications cannot be read there."""


@dataclass(frozen=True)
class Sentence:
    """A sentence with one of the words that make a rule. file is below specs/protocol."""

    file: str
    section: str
    text: str

    @property
    def digest(self) -> str:
        """12 hex digits: the same for another line break, link target, emphasis or letter case."""
        return digest(self.text)


def digest(text: str) -> str:
    """The first 12 hex digits of the SHA-256 of a sentence without its markup."""
    plain = re.sub(r"\]\([^)]*\)|\]\[[^\]]*\]", "", text)
    plain = re.sub(r"^\s*(?:[-*>]|\d+\.)\s+", "", plain)
    plain = " ".join(re.sub(r"[*_`\[\]]", "", plain).lower().split())
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def read_specs(path: Path) -> tuple[str, list[Sentence]]:
    """The commit at HEAD of a checkout or bare clone, and the sentences of its pages; raises SpecsError."""
    revision = _git(path, "rev-parse", "HEAD").strip()
    names = _git(path, "ls-tree", "-r", "--name-only", "HEAD", FOLDER).splitlines()
    found: list[Sentence] = []
    for name in names:
        if name.endswith(".md"):
            found += sentences(name.removeprefix(FOLDER + "/"), _git(path, "show", f"HEAD:{name}"))
    return revision, found


def sentences(file: str, page: str) -> list[Sentence]:
    """The sentences of one page that state a rule, in order. Code blocks and link definitions are left out."""
    found: list[Sentence] = []
    section, paragraph, is_code = "", list[str](), False

    def flush() -> None:
        for text in _END.split(" ".join(paragraph)):
            if _RULE.search(text):
                found.append(Sentence(file, section, text))
        paragraph.clear()

    for line in [*page.splitlines(), ""]:
        if line.lstrip().startswith("```"):
            flush()
            is_code = not is_code
        elif is_code or re.match(r"\[[^\]]+\]:", line):
            continue
        elif line.startswith("#"):
            flush()
            section = line.lstrip("# ").strip()
        elif not line.strip():
            flush()
        else:
            if _ITEM.match(line) or line.startswith("|"):
                flush()
            paragraph.append(line.strip())
    return found


def _git(path: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(path), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SpecsError(f"{path}: git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
