"""Sums as they are shown: what adds up does so in the digits that stand there."""


def kwh(wh: str, step: int) -> str:
    """An expression of Wh in kWh, rounded to `step` Wh: the difference of two is that of what is shown of them.

    No query language of InfluxDB 1.6 rounds; it has the rest of a division.
    """
    up = f"({wh} + {step // 2})"
    return f"({up} - {up} % {step}) / 1000"
