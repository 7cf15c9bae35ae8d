"""The linker: objects to units, units to a program. Read unit, objects, layout, link."""
