"""The second door: the chapters as notebooks, in JupyterLite, which runs in the reader's browser and asks no server."""
