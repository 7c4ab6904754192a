//! Bodies, plain and compressed: whatever is sent is refused or read, within bounds, and what was read reads the same when it
//! is sent again. What a route makes of it is valid or told to be not.
#![no_main]

use stheno_server::fuzzing::{ENCODINGS, body};

/// In bytes. What is written again can be longer: numbers are written out, characters escaped.
const LIMIT: usize = 256 * 1024;
const LIMIT_AGAIN: usize = 32 * LIMIT;

// The first byte says how the rest is compressed.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((encoding, bytes)) = data.split_first() else { return };
    if let Some(value) = body(usize::from(*encoding) % ENCODINGS, bytes.to_vec(), LIMIT) {
        let again = body(0, value.to_string().into_bytes(), LIMIT_AGAIN);
        assert_eq!(again, Some(value));
    }
});
