"""The ports over SQL, by SQLAlchemy Core: one file per collection, the mapping in plain sight."""
