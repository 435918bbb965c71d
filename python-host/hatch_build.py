"""The build hook: a wheel and an sdist carry the components, or are not made.

An sdist has them inside. In a checkout they are taken from target/, and guest/build.sh builds them where they are missing.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPONENTS = {"matcher.wasm": "matcher", "policies.tar.xz": "policies"}
"""The file of the package, and of target/, and the argument of guest/build.sh that makes it."""

LINKED = {
    "Cargo.toml": "project/kit/Cargo.toml",
    "Cargo.lock": "project/kit/Cargo.lock",
    "python-host/venv.sh": "project/kit/python-host/venv.sh",
}
"""Files of the checkout to which the package has a link each: an archive would keep the link, and not what it leads to."""

REMEDY = (
    "install Rust from https://rustup.rs and run `rustup target add wasm32-unknown-unknown`, or install a wheel, which "
    "needs no compiler"
)


class Components(BuildHookInterface):  # type: ignore[type-arg, misc]
    """Puts the components into the package before it is packed."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Take the components from target/, or build them.

        Raises:
            RuntimeError: One is missing, and nothing here can build it.
        """
        del version
        package = Path(self.root, "src", "offermatch")
        checkout = Path(self.root).parent
        for name, argument in COMPONENTS.items():
            if (checkout / "guest" / "build.sh").is_file():
                shutil.copyfile(self._built(checkout, name, argument), package / name)
            elif not (package / name).is_file():
                raise RuntimeError(f"{package / name} is missing from this source archive: {REMEDY}")
        for source, name in LINKED.items() if self.target_name == "sdist" else ():
            if (package / name).is_symlink():
                self.build_config.target_config.setdefault("exclude", []).append(f"/src/offermatch/{name}")
                build_data["force_include"][str(checkout / source)] = f"src/offermatch/{name}"

    def _built(self, checkout: Path, name: str, argument: str) -> Path:
        built = checkout / "target" / name
        if not built.is_file():
            self.app.display_waiting(f"building target/{name} with cargo (about a minute)")
            try:
                subprocess.run(["bash", "guest/build.sh", argument], cwd=checkout, check=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise RuntimeError(f"target/{name} is missing, and guest/build.sh failed ({error}): {REMEDY}") from error
        return built
