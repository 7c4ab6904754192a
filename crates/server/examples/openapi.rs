//! Prints the API's description, for `cargo xtask openapi`.

fn main() {
    print!("{}", stheno_server::openapi::document());
}
