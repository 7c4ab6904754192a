//! How long each piece takes.

use stheno_hot::{Hot, NAMES};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

#[divan::bench(args = NAMES)]
fn hot(bencher: divan::Bencher<'_, '_>, name: &str) {
    let hot = Hot::new();
    hot.run(name, 1);
    bencher.bench_local(|| hot.run(name, 1));
    hot.close();
}
