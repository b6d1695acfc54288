"""What is true: the rules of sign-up, proof and sign-in. No I/O, no clock, no framework."""
