"""Tests of the image that `.ci/image` builds."""
