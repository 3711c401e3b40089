"""Arithmetic of the papers on bare symbols: no scenario, no registry, no records. Import the module that you need."""
