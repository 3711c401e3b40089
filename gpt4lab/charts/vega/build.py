"""Make vega.js anew: `python -m gpt4lab.charts.vega.build` (needs `vl-convert-python`, no network)."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files

SNIPPET = "globalThis.gpt4labVega = vegaEmbed;"


def bundle(vegalite: str) -> str:
    """The script, wrapped so that a classic script tag leaves nothing but `gpt4labVega` behind."""
    import vl_convert

    head = (
        f"/* Vega-Lite {vegalite}, Vega and Vega-Embed, by vl-convert {version('vl-convert-python')}; see LICENSE. */"
    )
    return f"{head}\n(()=>{{{vl_convert.javascript_bundle(SNIPPET, vl_version=vegalite)}}})();\n"


def main() -> None:
    """Write vega.js beside this file for the newest Vega-Lite that the builder holds."""
    import vl_convert

    newest = vl_convert.get_vegalite_versions()[-1]
    target = files("gpt4lab.charts.vega").joinpath("vega.js")
    with open(str(target), "w", encoding="utf-8", newline="\n") as out:
        print(target, out.write(bundle(newest)), "characters, Vega-Lite", newest)


if __name__ == "__main__":
    main()
