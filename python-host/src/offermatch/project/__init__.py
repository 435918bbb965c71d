"""New matchers: projects that build, test and certify themselves.

templates    what a project has of its own, for each language
kit          what is copied into it as it is: the rest of the matcher, how it is built, and the contract
"""

from offermatch.project.project import LANGUAGES, Project

__all__ = ["LANGUAGES", "Project"]
