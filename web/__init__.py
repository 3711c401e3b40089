"""The web edition: static pages whose sliders are alive in the browser's own Python."""
