"""The graph of a spec as a picture: mermaid, DOT, SVG. Each takes lanes and gives the same text each time."""
