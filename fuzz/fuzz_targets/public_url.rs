#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::public_url(data));
