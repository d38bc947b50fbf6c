//! Sizes of the components.

use std::path::Path;

#[test]
fn every_component_stays_under_its_size() {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        Into::into,
    );
    let mut components = 0;
    for entry in std::fs::read_dir(target.join("wasm32-wasip2/wasm")).expect("built components") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if name.starts_with("gatehouse_") && name.ends_with(".wasm") {
            let bytes = path.metadata().expect("a file").len();
            let most = match &*name {
                "gatehouse_mcp.wasm" => 6_100_000,
                "gatehouse_authorize.wasm" => 1_800_000,
                "gatehouse_tools_openapi.wasm" => 1_600_000,
                _ => 1_500_000,
            };
            assert!(bytes < most, "{name} has {bytes} bytes");
            components += 1;
        }
    }
    assert!(components >= 8, "{components}");
}
