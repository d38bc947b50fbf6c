#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::remote_server(data));
