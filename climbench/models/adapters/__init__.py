"""Models of other packages as forecasters; each needs the extra of its name."""
