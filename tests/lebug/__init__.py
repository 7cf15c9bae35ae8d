"""Tests of LeBug firmware and its emulation."""
