"""Memory, the CPU engines, and the devices that machines are made of. Imports only `hcc.isa`."""
