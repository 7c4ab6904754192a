//! `stheno-hot NAME TIMES`: what `cargo xtask instructions` counts the instructions of. Without arguments, the names.

use std::env;

use stheno_hot::{Hot, NAMES};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, times] = arguments.as_slice() else {
        NAMES.iter().for_each(|name| println!("{name}"));
        return;
    };
    let times = times.parse().unwrap_or_else(|error| panic!("{times:?}: {error}"));
    let hot = Hot::new();
    hot.run(name, times);
    hot.close();
}
