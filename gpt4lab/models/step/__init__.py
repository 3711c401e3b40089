"""A training step in closed form: `report.step(shape, layout, hardware)`."""
