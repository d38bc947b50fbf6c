//! A tool server: gives a tools component variables, stores and hosts of its own.
//!
//! An author's component is its dependency in `spin.toml`. The route is private: `mcp` alone calls it, by service chaining,
//! and offers its tools if the variable `tools` names it.

platform::http_component!(tools_import::serve::router);
