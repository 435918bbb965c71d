"""Copies a file as a plain Python program does: read a block, write it, go on."""

import os
import sys

source, target, block = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
    while data := reader.read(block):
        writer.write(data)
    os.fsync(writer.fileno())
