"""The colours of what is shown."""

COLORS = {
    "Produced": "#E0B400",
    "Consumed": "#5794F2",
    "Self-consumed": "#73BF69",
    "Net": "#B877D9",
    "Some days only": "#F2E2A4",
    "Produced, consumption not known": "#F2E2A4",
    "Saved": "#73BF69",
    "Cost": "#F2495C",
    "Earned": "#FF9830",
    "From the grid": "#F2495C",
    "To the grid": "#FF9830",
    "Into the battery": "#8AB8FF",
    "Out of the battery": "#1F8A82",
    "Charge": "#5EC9C0",
}
"""One colour a meaning, on all boards."""
