"""The built-in pages: there while nobody has built a front end. They use the JSON endpoints and nothing else."""
