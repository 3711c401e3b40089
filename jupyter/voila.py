"""Voila's settings for this book: a chapter without its code, one kernel a reader, nothing from another machine.

    JUPYTER_CONFIG_PATH=jupyter voila notebooks/09_sixty_three_million.ipynb

voila/templates/gpt4lab beside this file is Voila's own page, but for the icons that it would ask of another machine.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821 - Voila provides it

HERE = str(Path(__file__).resolve().parent)
os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (HERE, os.environ.get("JUPYTER_PATH"))))  # templates

# Readers behind one server are apart: what each does is kept for the session, and saved by the link under an exercise.
os.environ.setdefault("GPT4LAB_STATE", str(Path(HERE, "voila.py", "a session each")))

c.VoilaConfiguration.template = "gpt4lab"
#: They are for pages of JupyterLab, and complain on this one.
c.VoilaConfiguration.extension_denylist = ["jupyterlab-jupytext", "@jupyter-notebook/lab-extension"]

# A page that was closed leaves its kernel behind, which holds some hundred megabytes. Open pages keep theirs.
c.MappingKernelManager.cull_idle_timeout = 300
c.MappingKernelManager.cull_interval = 60
