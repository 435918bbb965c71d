"""Text of strangers, and whether what is shown of it is safe."""

import re

HOSTILE = "a\nforged  done\r\x1b]0;title\x07\x1b[2J\u202ebackwards\u2028[bold red]markup[/] [/nothing] <b>html</b>"
SHOWN = "a\\nforged  done\\r\\x1b]0;title\\x07\\x1b[2J\\u202ebackwards\\u2028[bold red]markup[/] [/nothing] <b>html</b>"


def safe(text):
    """Whether what went to a terminal holds nothing but lines of visible characters."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)  # our own colours
    assert all(one.isprintable() for one in plain.split("\n")), repr(text)
    assert "forged" not in [word for row in plain.split("\n") for word in row.split()[:1]], text
    return True
