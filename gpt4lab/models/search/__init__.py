"""Back from sums to shapes, and through layouts."""
