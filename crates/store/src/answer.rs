//! How rows leave the store: as JSON text, written straight from them. Up to a size the text comes whole; beyond it
//! comes as a stream, in constant memory, out of one snapshot.
//!
//! A snapshot does not wait for a slow reader: what the reader does not take in time goes to a temporary file, and the
//! stream goes on from there when the snapshot has been given up.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::Stream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::StoreError;

/// The size of the pieces that a stream is made of, in bytes.
const CHUNK: usize = 64 * 1024;

/// How many pieces wait for a slow reader.
const CHUNKS_AHEAD: usize = 4;

/// How long a snapshot waits for its reader, all in all, before the rest goes to a temporary file.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long an answer waits at the most for its turn to become a stream. It holds a snapshot meanwhile.
const LONGEST_QUEUE: Duration = Duration::from_secs(1);

/// What one hears whose answer does not become a stream.
pub(crate) const CROWDED: &str = "too many large answers are being read";

/// JSON text: its beginning, and where that is not all, the rest.
#[derive(Debug)]
pub struct JsonText {
    /// The whole text, or what there was of it when it had grown too large to be held.
    pub start: Vec<u8>,
    /// What follows.
    pub rest: Option<JsonStream>,
}

impl JsonText {
    pub(crate) fn whole(text: Vec<u8>) -> Self {
        Self { start: text, rest: None }
    }
}

/// The rest of a large JSON text. It ends well only if all of it was read: a fault on the way is its last item.
#[derive(Debug)]
pub struct JsonStream {
    pieces: mpsc::Receiver<Piece>,
    ended: bool,
}

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Fault(StoreError),
    End,
}

impl Stream for JsonStream {
    type Item = Result<Vec<u8>, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = std::task::ready!(self.pieces.poll_recv(context));
        Poll::Ready(match piece {
            Some(Piece::Text(text)) => Some(Ok(text)),
            Some(Piece::End) => {
                self.ended = true;
                None
            }
            Some(Piece::Fault(fault)) => {
                self.ended = true;
                Some(Err(fault))
            }
            // The writer gave up without a word: it waited too long for this reader.
            None => {
                self.ended = true;
                Some(Err(StoreError::SlowReader))
            }
        })
    }
}

/// A page of a list, and how many rows the whole list has, both from one snapshot.
#[derive(Debug)]
pub struct Page {
    /// The number of rows that match, whatever the window.
    pub count: u64,
    /// What the list goes on [after](crate::CustomerList::after), if there may be more rows.
    pub next: Option<String>,
    /// The rows as JSON objects with commas between them, without brackets around.
    pub rows: JsonText,
}

/// What is known of a page before its rows are read.
#[derive(Debug)]
pub(crate) struct PageHead {
    pub(crate) count: u64,
    pub(crate) next: Option<String>,
}

impl Page {
    pub(crate) fn new(answer: Option<(PageHead, JsonText)>) -> Result<Self, StoreError> {
        match answer {
            Some((PageHead { count, next }, rows)) => Ok(Self { count, next, rows }),
            None => Err(StoreError::internal("a list answered nothing")),
        }
    }
}

/// When an answer becomes a stream, and how long that may wait.
#[derive(Debug, Clone)]
pub(crate) struct Streaming {
    /// Texts up to this many bytes come whole.
    pub(crate) whole_up_to: usize,
    /// How long a stream waits for its reader to take the next piece.
    pub(crate) reader_timeout: Duration,
    /// One permit for each stream at work.
    pub(crate) permits: Arc<Semaphore>,
}

/// Where a unit of work that reads writes its answer: a header once, then any amount of JSON text.
///
/// It waits for its reader; on a thread that may block, by the methods that end in `_blocking`.
pub(crate) struct Output<H> {
    pub(crate) text: Vec<u8>,
    header: Option<H>,
    reply: Option<oneshot::Sender<Reply<H>>>,
    stream: Option<Started>,
    running: Option<OwnedSemaphorePermit>,
    streaming: Streaming,
}

/// An answer that has become a stream.
struct Started {
    pieces: mpsc::Sender<Piece>,
    _permit: OwnedSemaphorePermit,
    /// For how much longer the snapshot waits for the reader.
    patience: Duration,
    /// What the reader has not taken in time.
    spool: Option<File>,
}

/// What a reading unit of work answers: nothing, if there is no such row.
pub(crate) type Reply<H> = Result<Option<(H, JsonText)>, StoreError>;

impl<H> Output<H> {
    /// `running` is given back as soon as the answer becomes a stream.
    pub(crate) fn new(
        streaming: Streaming,
        running: OwnedSemaphorePermit,
    ) -> (Self, oneshot::Receiver<Reply<H>>) {
        let (reply, answer) = oneshot::channel();
        let output = Self {
            text: Vec::with_capacity(1024),
            header: None,
            reply: Some(reply),
            stream: None,
            running: Some(running),
            streaming,
        };
        (output, answer)
    }

    /// Says that there is an answer, and what the caller must know before its text.
    pub(crate) fn begin(&mut self, header: H) {
        self.header = Some(header);
    }

    /// Forgets what has been written. Answers whether that can be: nothing of it has been handed on.
    pub(crate) fn start_again(&mut self) -> bool {
        self.text.clear();
        self.header = None;
        self.stream.is_none()
    }

    fn is_large(&self) -> bool {
        let enough = if self.stream.is_some() { CHUNK } else { self.streaming.whole_up_to };
        self.text.len() > enough
    }

    /// Hands on what has been written, if it is enough. To be called after each row.
    pub(crate) async fn flush_if_large(&mut self) -> Result<(), StoreError> {
        if self.is_large() { self.flush().await } else { Ok(()) }
    }

    /// As [`Output::flush_if_large`], on a thread that may block.
    pub(crate) fn flush_if_large_blocking(&mut self) -> Result<(), StoreError> {
        if self.is_large() { Handle::current().block_on(self.flush()) } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        if self.stream.is_none() {
            return self.become_a_stream().await;
        }
        let text = std::mem::replace(&mut self.text, Vec::with_capacity(CHUNK + CHUNK / 4));
        self.hand_on(text).await
    }

    /// Gives a piece to the reader, or to the file behind what the reader has not taken yet.
    async fn hand_on(&mut self, text: Vec<u8>) -> Result<(), StoreError> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        if stream.pieces.is_closed() {
            return Err(StoreError::SlowReader);
        }
        if stream.spool.is_none() {
            let waiting = Instant::now();
            let wait = tokio::time::timeout(stream.patience, stream.pieces.reserve());
            if let Ok(place) = wait.await {
                place.map_err(|_| StoreError::SlowReader)?.send(Piece::Text(text));
                stream.patience = stream.patience.saturating_sub(waiting.elapsed());
                return Ok(());
            }
        }
        let spool = stream.spool.take();
        let append = move || {
            let mut spool = spool.map_or_else(tempfile::tempfile, Ok)?;
            spool.write_all(&text)?;
            Ok(spool)
        };
        stream.spool = Some(with_file(append).await?);
        Ok(())
    }

    /// Gives the reader what has gone to the file. There is no snapshot any more that would wait for it.
    async fn hand_on_spooled(&mut self) -> Result<(), StoreError> {
        let Some(mut spool) = self.stream.as_mut().and_then(|stream| stream.spool.take()) else {
            return Ok(());
        };
        spool.rewind().map_err(spool_fault)?;
        loop {
            let read = move || {
                let mut text = Vec::with_capacity(CHUNK);
                let limit = u64::try_from(CHUNK).unwrap_or(u64::MAX);
                (&spool).take(limit).read_to_end(&mut text)?;
                Ok((spool, text))
            };
            let text;
            (spool, text) = with_file(read).await?;
            if text.is_empty() {
                return Ok(());
            }
            self.send(Piece::Text(text)).await?;
        }
    }

    async fn become_a_stream(&mut self) -> Result<(), StoreError> {
        let wait = tokio::time::timeout(
            self.streaming.reader_timeout.min(LONGEST_QUEUE),
            Arc::clone(&self.streaming.permits).acquire_owned(),
        );
        let Ok(Ok(permit)) = wait.await else {
            return Err(StoreError::Unavailable { reason: CROWDED, source: None });
        };
        drop(self.running.take());
        let (sender, pieces) = mpsc::channel(CHUNKS_AHEAD);
        let patience = PATIENCE.min(self.streaming.reader_timeout);
        self.stream = Some(Started { pieces: sender, _permit: permit, patience, spool: None });
        let rest = Some(JsonStream { pieces, ended: false });
        let start = std::mem::take(&mut self.text);
        self.answer(Ok(JsonText { start, rest }))
    }

    /// Replies to the caller, who may have gone: then there is nobody to read on for.
    fn answer(&mut self, text: Result<JsonText, StoreError>) -> Result<(), StoreError> {
        let header = self.header.take();
        let reply = match text {
            Ok(text) => Ok(header.map(|header| (header, text))),
            Err(error) => Err(error),
        };
        match self.reply.take().map(|sender| sender.send(reply)) {
            Some(Ok(())) => Ok(()),
            _ => Err(StoreError::SlowReader),
        }
    }

    async fn send(&mut self, piece: Piece) -> Result<(), StoreError> {
        let Some(stream) = &self.stream else {
            return Ok(());
        };
        let wait = tokio::time::timeout(self.streaming.reader_timeout, stream.pieces.send(piece));
        match wait.await {
            Ok(Ok(())) => Ok(()),
            _ => Err(StoreError::SlowReader),
        }
    }

    /// Ends the answer as the work went. The snapshot must have been given up before.
    pub(crate) async fn finish(mut self, outcome: Result<(), StoreError>) {
        // Nobody listens any more where sending fails, so there is nobody to tell.
        let _ = match (self.stream.is_some(), outcome) {
            (false, Ok(())) => {
                let text = std::mem::take(&mut self.text);
                self.answer(Ok(JsonText::whole(text)))
            }
            (false, Err(error)) => self.answer(Err(error)),
            (true, Ok(())) => {
                let text = std::mem::take(&mut self.text);
                let mut sent = self.hand_on_spooled().await;
                if sent.is_ok() {
                    sent = self.send(Piece::Text(text)).await;
                }
                match sent {
                    Err(StoreError::SlowReader) => Ok(()),
                    Err(error) => self.send(Piece::Fault(error)).await,
                    Ok(()) => self.send(Piece::End).await,
                }
            }
            // A reader that was too slow is not waited for once more: it learns from the missing end.
            (true, Err(StoreError::SlowReader)) => Ok(()),
            (true, Err(error)) => self.send(Piece::Fault(error)).await,
        };
    }

    /// As [`Output::finish`], on a thread that may block.
    pub(crate) fn finish_blocking(self, outcome: Result<(), StoreError>) {
        Handle::current().block_on(self.finish(outcome));
    }
}

/// Does what waits for the disk, where that holds up nobody else.
async fn with_file<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(StoreError::internal)?.map_err(spool_fault)
}

fn spool_fault(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::internal(error),
    }
}
