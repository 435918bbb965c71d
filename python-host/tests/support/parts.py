"""Components of parts that nothing of them uses."""

from wasmtime import wat2wasm

from offermatch.bench.judge import large, leb128

__all__ = ["large", "with_instances"]

_CORE_MODULE, _CORE_INSTANCE = 1, 2


def with_instances(component, module, count):
    """Return a component with so many more core instances of a module."""
    # The sections follow the eight bytes of the header: a number, a length, the content.
    at, modules = 8, 0
    while at < len(component):
        modules += component[at] == _CORE_MODULE
        length, content = _read_leb128(component, at + 1)
        at = content + length
    # Each is instantiated with no arguments.
    instances = leb128(count) + (b"\0" + leb128(modules) + b"\0") * count
    for number, content in ((_CORE_MODULE, bytes(wat2wasm(module))), (_CORE_INSTANCE, instances)):
        component += bytes([number]) + leb128(len(content)) + content
    return component


def _read_leb128(content, at):
    number = shift = 0
    while True:
        number |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if content[at - 1] < 0x80:
            return number, at
