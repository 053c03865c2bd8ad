"""The severity chart, as SVG."""

import re
from functools import lru_cache

import altair as alt
import vl_convert

_COLOURS = {"critical": "#7a0c2e", "high": "#c62828", "medium": "#e07b00", "low": "#b59b00", "info": "#5b6b7b"}


def severity_chart(counts: dict[str, int]) -> str:
    """Bars of present vulnerabilities by severity; an `<svg>` element that holds no script."""
    return _drawn(tuple(counts.items()))


@lru_cache(maxsize=16)  # HTML and PDF of a report show the same
def _drawn(counts: tuple[tuple[str, int], ...]) -> str:
    rows = [{"severity": severity, "number": number} for severity, number in counts]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("severity:N", sort=[severity for severity, _ in counts], title=None),
        x=alt.X("number:Q", axis=None),  # each bar has its number beside it
    )
    scale = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    bars = base.mark_bar(height=18).encode(color=alt.Color("severity:N", scale=scale, legend=None))
    labels = base.mark_text(align="left", dx=4, fontSize=12).encode(text="number:Q")
    chart = (bars + labels).properties(width=460, height=140).configure_view(stroke=None)
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return re.sub(r"^<\?xml[^>]*>\s*", "", svg)
