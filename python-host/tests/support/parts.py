"""Components of parts that nothing of them uses."""

from wasmtime import wat2wasm

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
    instances = _leb128(count) + (b"\0" + _leb128(modules) + b"\0") * count
    for number, content in ((_CORE_MODULE, bytes(wat2wasm(module))), (_CORE_INSTANCE, instances)):
        component += bytes([number]) + _leb128(len(content)) + content
    return component


def _leb128(number):
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _read_leb128(content, at):
    number = shift = 0
    while True:
        number |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if content[at - 1] < 0x80:
            return number, at


def large(component, size):
    """Return a component with a further module of about so many bytes, which takes its time to compile."""
    body = b"\x20\x00" + b"".join(b"\x41" + _leb128(at % 60) + b"\x6a\x20\x00\x73" for at in range(400)) + b"\x0b"
    body = _leb128(len(body) + 1) + b"\0" + body
    count = size // len(body)
    sections = (
        (1, b"\x01\x60\x01\x7f\x01\x7f"),
        (3, _leb128(count) + b"\0" * count),
        (10, _leb128(count) + body * count),
    )
    module = b"\0asm\1\0\0\0" + b"".join(bytes([number]) + _leb128(len(one)) + one for number, one in sections)
    return component + bytes([_CORE_MODULE]) + _leb128(len(module)) + module
