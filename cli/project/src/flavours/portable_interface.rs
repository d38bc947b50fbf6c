//! The imports and exports that a component of the portable build may have.

use anyhow::{Result, ensure};
use composition::Interface;

/// Every host takes this one; some refuse later versions.
const EXPORT: &str = "wasi:http/incoming-handler@0.2.0";

/// The interfaces of the key-value draft that Spin has since 3.0. `fermyon:spin/key-value` has no increment, and writes one key
/// at a time.
const ATOMICS: [&str; 3] = [
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/batch@0.2.0-draft2",
    "wasi:keyvalue/store@0.2.0-draft2",
];

/// Checks that a component imports nothing but WASI 0.2 and `fermyon:spin@2.0.0`, and exports a handler of requests
/// and nothing else.
///
/// # Errors
///
/// Names what is too much.
pub(super) fn check(component: &[u8], has_atomics: bool) -> Result<()> {
    check_names(&Interface::of(component)?, has_atomics)
}

fn check_names(interface: &Interface, has_atomics: bool) -> Result<()> {
    let imports = interface.imports.iter().map(String::as_str);
    let foreign: Vec<&str> = imports
        .filter(|import| !(is_portable(import) || has_atomics && ATOMICS.contains(import)))
        .collect();
    ensure!(
        foreign.is_empty(),
        "the host may not have what it imports: {}",
        foreign.join(", ")
    );
    ensure!(
        interface.exports == [EXPORT],
        "it has to export {EXPORT} alone, and exports {}",
        interface.exports.join(", ")
    );
    Ok(())
}

fn is_portable(import: &str) -> bool {
    let Some((name, version)) = import.split_once('@') else {
        return false;
    };
    let is_wasi = name.starts_with("wasi:")
        && version
            .strip_prefix("0.2.")
            .is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit()));
    is_wasi || (name.starts_with("fermyon:spin/") && version == "2.0.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(imports: &[&str], exports: &[&str]) -> Interface {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Interface {
            imports: owned(imports),
            exports: owned(exports),
        }
    }

    #[test]
    fn wasi_0_2_and_fermyon_spin_are_portable_and_nothing_else_is() {
        let imports = [
            "wasi:http/types@0.2.0",
            "wasi:cli/environment@0.2.6",
            "fermyon:spin/key-value@2.0.0",
        ];
        check_names(&interface(&imports, &[EXPORT]), false).unwrap();
        for import in [
            "wasi:http/types@0.3.0",
            "wasi:clocks/monotonic-clock@0.2.0-rc-1",
            "fermyon:spin/llm",
            "spin:key-value/key-value@3.0.0",
            "gatehouse:tools-portable/tools@0.3.0",
            "a-function",
        ] {
            let refused = check_names(&interface(&[import], &[EXPORT]), true);
            assert!(refused.unwrap_err().to_string().contains(import));
        }
    }

    #[test]
    fn atomics_are_imported_only_where_the_host_has_them() {
        let with = interface(&ATOMICS, &[EXPORT]);
        check_names(&with, true).unwrap();
        check_names(&with, false).unwrap_err();
    }

    #[test]
    fn a_component_exports_the_first_version_of_the_handler_alone() {
        for exports in [
            &[][..],
            &["wasi:http/incoming-handler@0.2.6"],
            &[EXPORT, "a:b/c@1.0.0"],
        ] {
            check_names(&interface(&[], exports), false).unwrap_err();
        }
    }
}
