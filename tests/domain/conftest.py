"""Property tests run the same examples everywhere, take the time they need, and leave no files behind."""

from hypothesis import settings

settings.register_profile("ostiary", deadline=None, database=None, derandomize=True)
settings.load_profile("ostiary")
