"""Distances on the sphere, as an oracle for the server's: simple instead of fast."""

import math

RADIUS_METERS = 6_371_000.0
# An edge of 40,000 km is sampled each 100 km; each refinement divides the distance by 8.
SAMPLES = 400
REFINED_SAMPLES = 16
REFINEMENTS = 9
SPANS_MAX = 3  # the least distance may be near several samples that are nearly as near

Position = tuple[float, float]


def distance_meters(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """Return the great-circle distance of two points, by the haversine formula."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_height = math.sin((other_phi - phi) / 2)
    half_width = math.sin(math.radians(other_longitude - longitude) / 2)
    chord = half_height**2 + math.cos(phi) * math.cos(other_phi) * half_width**2
    return 2 * RADIUS_METERS * math.asin(min(1.0, math.sqrt(chord)))


def distance_to_segment_meters(point: Position, start: Position, end: Position) -> float:
    """Return the least great-circle distance from a point to an edge; positions are lon, lat.

    An edge is straight in longitude and latitude, as RFC 7946 defines it. It is sampled densely,
    then again around its nearest samples until they are less than a millimetre apart.
    """
    least = math.inf
    spans = [(0.0, 1.0)]
    for count in (SAMPLES, *[REFINED_SAMPLES] * REFINEMENTS):
        samples = [
            (_distance_at(point, start, end, low + (high - low) * step / count), low, high, step)
            for low, high in spans
            for step in range(count + 1)
        ]
        samples.sort()
        least = min(least, samples[0][0])
        spans = []
        for _, low, high, step in samples[:SPANS_MAX]:
            width = (high - low) / count
            middle = low + step * width
            spans.append((max(0.0, middle - width), min(1.0, middle + width)))
    return least


def _distance_at(point: Position, start: Position, end: Position, share: float) -> float:
    longitude = start[0] + share * (end[0] - start[0])
    latitude = start[1] + share * (end[1] - start[1])
    return distance_meters(point[1], point[0], latitude, longitude)
