"""The host's own tables, against which every answer is checked."""
