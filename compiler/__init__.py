"""Front ends, the IR and its passes, code generation and linking. Imports only `hcc.isa`."""
