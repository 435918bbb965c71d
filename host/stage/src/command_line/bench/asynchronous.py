"""Copies a file as an asynchronous Python program does: the next block is read while one is written, on threads."""

import asyncio
import os
import sys


async def copy(source: str, target: str, block: int) -> None:
    with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
        data = await asyncio.to_thread(reader.read, block)
        while data:
            data, _ = await asyncio.gather(asyncio.to_thread(reader.read, block), asyncio.to_thread(writer.write, data))
        await asyncio.to_thread(os.fsync, writer.fileno())


asyncio.run(copy(sys.argv[1], sys.argv[2], int(sys.argv[3])))
