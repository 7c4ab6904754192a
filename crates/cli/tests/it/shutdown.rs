//! Signals.
#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{API_TOKEN, Server, Shop};

/// A request of which the server has the head and waits for the body.
fn request_in_flight(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "POST /admin/customer-groups HTTP/1.1\r\nhost: localhost\r\nx-medusa-access-token: {API_TOKEN}\r\n\
         content-type: application/json\r\ncontent-length: 15\r\nexpect: 100-continue\r\n\r\n"
    )
    .unwrap();
    // The server asks for the body when a handler wants it, so the request has come so far.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Waits until the server takes no more connections, as it does once it has heard the signal.
fn wait_until_closed(server: &Server) {
    let start = Instant::now();
    while TcpStream::connect(server.address()).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(30), "the server still listens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_first_signal_lets_requests_finish() {
    for signal in [Signal::TERM, Signal::INT] {
        let shop = Shop::with_known_credentials();
        let mut server = shop.serve([]);
        let mut stream = request_in_flight(&server);
        server.signal(signal);
        wait_until_closed(&server);
        stream.write_all(br#"{"name":"Last"}"#).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let (status, log) = server.wait();
        assert!(status.success(), "{status}\n{log}");
        assert!(log.contains("stopped"), "{log}");

        let groups = shop.serve([]).get("/admin/customer-groups").with_token(API_TOKEN).send().body;
        assert_eq!(groups["customer_groups"][0]["name"], "Last");
    }
}

#[test]
fn the_second_signal_ends_the_program_at_once() {
    let shop = Shop::with_known_credentials();
    let mut server = shop.serve([]);
    let _stream = request_in_flight(&server);
    server.signal(Signal::TERM);
    wait_until_closed(&server);
    std::thread::sleep(Duration::from_millis(400));
    let start = Instant::now();
    server.signal(Signal::INT);
    let (status, log) = server.wait();
    assert_eq!((status.code(), status.signal()), (Some(130), None), "{log}");
    assert!(start.elapsed() < Duration::from_secs(10), "the server took its time");
}

/// As `timeout` stops a program: it signals the program, and then its group.
#[test]
fn a_signal_that_comes_twice_counts_once() {
    let shop = Shop::with_known_credentials();
    let mut server = shop.serve([]);
    let mut stream = request_in_flight(&server);
    server.signal(Signal::TERM);
    server.signal(Signal::INT);
    wait_until_closed(&server);
    stream.write_all(br#"{"name":"Last"}"#).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let (status, log) = server.wait();
    assert!(status.success(), "{status}\n{log}");
}

#[test]
fn requests_that_take_too_long_are_broken_off() {
    let shop = Shop::with_known_credentials();
    let mut server = shop.serve(["--shutdown-timeout", "100ms"]);
    let _stream = request_in_flight(&server);
    server.signal(Signal::TERM);
    let (status, log) = server.wait();
    assert!(status.success(), "{status}\n{log}");
}
