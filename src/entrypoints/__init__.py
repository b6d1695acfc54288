"""Where the world comes in: settings, composition, HTTP and the command line."""
