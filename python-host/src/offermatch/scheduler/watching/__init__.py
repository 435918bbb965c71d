"""What a scheduler shows of its cycles."""
