"""What is measured, for monitoring systems (docs/metrics.md)."""
