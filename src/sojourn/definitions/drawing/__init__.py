"""Drawing: a journey as a picture, in Mermaid's words or as SVG.

Pure: a compiled journey in, text out, the same bytes always.
"""

from sojourn.definitions.drawing.charting import chart_of
from sojourn.definitions.drawing.mermaid import mermaid_of
from sojourn.definitions.drawing.picture import Picture, picture_of
from sojourn.definitions.drawing.svg import svg_of

__all__ = ["Picture", "chart_of", "mermaid_of", "picture_of", "svg_of"]
