//! A server that answers as a test wants it to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::sync::mpsc::Sender;

/// What the stub does with a request.
pub(super) enum Next {
    /// Answers with this status, type and body.
    Answer(u16, &'static str, String),
    /// Never answers.
    Silence,
    /// Says that the request is here, and never answers it.
    #[cfg(unix)]
    Notice(Sender<()>),
}

/// Starts a server that does this with the requests that come, one after the other, and the last with all that follow.
/// Returns its address.
pub(super) fn start(nexts: Vec<Next>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for (number, connection) in listener.incoming().enumerate() {
            let mut connection = connection.unwrap();
            read(&connection);
            match &nexts[number.min(nexts.len() - 1)] {
                Next::Answer(status, content_type, body) => {
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status} \r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
                         connection: close\r\n\r\n{body}"
                    );
                    // Whoever asked may have gone.
                    let _ = connection.write_all(answer.as_bytes());
                }
                Next::Silence => kept.push(connection),
                #[cfg(unix)]
                Next::Notice(sender) => {
                    kept.push(connection);
                    sender.send(()).unwrap();
                }
            }
        }
    });
    url
}

fn read(connection: &TcpStream) {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
}
