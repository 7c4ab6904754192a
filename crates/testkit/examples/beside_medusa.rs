//! The real Medusa v1 and Stheno on one database, to try things by hand and to measure them:
//! `cargo run -p stheno-testkit --example beside_medusa`. Prints where they are and who may in, one `NAME=value` a line,
//! and runs until its standard input ends.

use std::io::Read as _;

use stheno_testkit::medusa::{API_TOKEN, BesideMedusa, EMAIL, PASSWORD, SIGNING_SECRET};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let BesideMedusa { medusa, stheno } = BesideMedusa::start().await;
    println!("MEDUSA_URL={}", medusa.url());
    println!("STHENO_URL=http://{}", stheno.address);
    println!("DATABASE_URL={}", stheno.postgres().url());
    println!(
        "ADMIN_EMAIL={EMAIL}\nADMIN_PASSWORD={PASSWORD}\nADMIN_API_TOKEN={API_TOKEN}\nJWT_SECRET={SIGNING_SECRET}"
    );
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    drop(medusa);
    stheno.stop().await;
    Ok(())
}
