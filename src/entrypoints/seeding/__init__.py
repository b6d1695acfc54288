"""People and their histories for a demonstration and for staging (R91): what `ostiary seed` makes."""
