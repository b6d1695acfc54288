"""What can be asked of Ostiary: the use cases, and the ports they need filled."""
