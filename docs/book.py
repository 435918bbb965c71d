"""What the book takes from elsewhere: the root's documents, the contract's reference, and the Rust API."""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
RUSTDOC = ROOT / "target" / "doc"
CONTRACT = ROOT / "target" / "contract-reference.md"

FROM_THE_ROOT = {
    "README.md": "index.md",
    "DESIGN.md": "design.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in docs/."""
    for source, page in FROM_THE_ROOT.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    reference = "# The contract, item by item\n\nGenerated from `wit/matcher.wit`.\n\n" + CONTRACT.read_text()
    files.append(File.generated(config, "contract-reference.md", content=reference))
    files.append(File.generated(config, "rust/offermatch/index.html", content=""))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links where the book has the page, and to the repository where it has not."""
    source = page.file.src_uri
    home = "" if source in FROM_THE_ROOT.values() else "docs"

    def lead(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(home, found[1]))
        if target in FROM_THE_ROOT:
            return FROM_THE_ROOT[target]
        inside = target.removeprefix("docs/")
        if target.startswith("docs/") and files.get_file_from_path(inside):
            return inside
        if source == "contract-reference.md" or not (ROOT / target).exists():
            return found[1]
        return f"{config.repo_url}/blob/main/{target}"

    return LINK.sub(lead, markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Put the Rust API beside the pages."""
    shutil.copytree(RUSTDOC, Path(config.site_dir) / "rust", dirs_exist_ok=True)
