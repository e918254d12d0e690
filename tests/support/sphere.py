"""Distances on the sphere, as an oracle for the server's: simple instead of fast."""

import math

RADIUS_METERS = 6_371_000.0


def distance_meters(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """Return the great-circle distance of two points, by the haversine formula."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_height = math.sin((other_phi - phi) / 2)
    half_width = math.sin(math.radians(other_longitude - longitude) / 2)
    chord = half_height**2 + math.cos(phi) * math.cos(other_phi) * half_width**2
    return 2 * RADIUS_METERS * math.asin(min(1.0, math.sqrt(chord)))
