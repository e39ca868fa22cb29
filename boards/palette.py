"""The colours of what is shown: none of them is red, orange or green, which say how well something is."""

COLORS = {
    "Produced": "#E0B400",
    "Consumed": "#5794F2",
    "Self-consumed": "#7FA8C9",
    "Net": "#B877D9",
    "Some days only": "#F2E2A4",
    "Produced, consumption not known": "#F2E2A4",
    "Saved": "#7FA8C9",
    "Cost": "#B07D52",
    "Earned": "#D683CE",
    "From the grid": "#B07D52",
    "To the grid": "#D683CE",
    "Into the battery": "#8AB8FF",
    "Out of the battery": "#1F8A82",
    "Charge": "#5EC9C0",
}
"""One colour a meaning, on all boards."""
