"""Where a component comes from: registries it is fetched from, keys it is signed with, and whose matchers may be loaded."""

SCHEME = "oci://"
"""What the name of a component in a registry begins with."""
