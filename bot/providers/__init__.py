"""The provider contract, and everything that finds, connects, asks and contains providers."""
