"""People from other systems, and to them: readers and writers of what those systems hold."""
