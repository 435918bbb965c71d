"""What answers when the matcher of a scheduler fails."""

from offermatch import FallbackMatcher, Matcher, MatcherError, Offer, ReferenceMatcher, Task
from offermatch.cli.scheduler import _with_fallback


class Failing(ReferenceMatcher):
    def backend(self, *arguments):
        raise MatcherError("matcher-trapped", "no")


def test_the_bundled_component_answers_unless_it_is_what_failed():
    chosen = _with_fallback(Failing(), None)
    answer = chosen.match([Task("t", {"cpu": 1})], [Offer("a", {"cpu": 2})], mode="shared")
    assert (answer.matcher.name, answer.matcher_digest) == (Matcher.load().description.name, Matcher.load().digest)
    assert answer.fallback_reason.code == "matcher-trapped"
    assert isinstance(_with_fallback(Matcher.load(), None).fallback, ReferenceMatcher)


def test_the_reference_is_the_last_resort():
    chosen = FallbackMatcher(Failing(), FallbackMatcher(Failing()))
    answer = chosen.match([Task("t", {"cpu": 1})], [Offer("a", {"cpu": 2})], mode="shared")
    assert answer.matcher.name == ReferenceMatcher().description.name
