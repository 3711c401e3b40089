"""Every registered number, a file for each prefix of a name: `training.cost` is computed in `training.py`."""
