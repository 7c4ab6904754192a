//! How rows leave the store: as JSON text, written straight from them. Up to a size the text comes whole; beyond it
//! comes as a stream, in constant memory, out of one snapshot.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::StoreError;

/// The size of the pieces that a stream is made of, in bytes.
const CHUNK: usize = 64 * 1024;

/// How many pieces wait for a slow reader.
const CHUNKS_AHEAD: usize = 4;

/// How long an answer waits at the most for its turn to become a stream. It holds a snapshot meanwhile.
const LONGEST_QUEUE: Duration = Duration::from_secs(1);

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
    /// The rows as JSON objects with commas between them, without brackets around.
    pub rows: JsonText,
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
/// Used on a thread that may block.
pub(crate) struct Output<H> {
    pub(crate) text: Vec<u8>,
    header: Option<H>,
    reply: Option<oneshot::Sender<Reply<H>>>,
    stream: Option<(mpsc::Sender<Piece>, OwnedSemaphorePermit)>,
    running: Option<OwnedSemaphorePermit>,
    streaming: Streaming,
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

    /// Hands on what has been written, if it is enough. To be called after each row.
    pub(crate) fn flush_if_large(&mut self) -> Result<(), StoreError> {
        let enough = if self.stream.is_some() { CHUNK } else { self.streaming.whole_up_to };
        if self.text.len() <= enough { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.stream.is_none() {
            return self.become_a_stream();
        }
        let text = std::mem::replace(&mut self.text, Vec::with_capacity(CHUNK + CHUNK / 4));
        self.send(Piece::Text(text))
    }

    fn become_a_stream(&mut self) -> Result<(), StoreError> {
        let wait = tokio::time::timeout(
            self.streaming.reader_timeout.min(LONGEST_QUEUE),
            Arc::clone(&self.streaming.permits).acquire_owned(),
        );
        let Ok(Ok(permit)) = Handle::current().block_on(wait) else {
            let reason = "too many large answers are being read";
            return Err(StoreError::Unavailable { reason, source: None });
        };
        drop(self.running.take());
        let (sender, pieces) = mpsc::channel(CHUNKS_AHEAD);
        self.stream = Some((sender, permit));
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

    fn send(&mut self, piece: Piece) -> Result<(), StoreError> {
        let Some((sender, _)) = &self.stream else {
            return Ok(());
        };
        let wait = tokio::time::timeout(self.streaming.reader_timeout, sender.send(piece));
        match Handle::current().block_on(wait) {
            Ok(Ok(())) => Ok(()),
            _ => Err(StoreError::SlowReader),
        }
    }

    /// Ends the answer as the work went. The snapshot must have been given up before.
    pub(crate) fn finish(mut self, outcome: Result<(), StoreError>) {
        // Nobody listens any more where sending fails, so there is nobody to tell.
        let _ = match (self.stream.is_some(), outcome) {
            (false, Ok(())) => {
                let text = std::mem::take(&mut self.text);
                self.answer(Ok(JsonText::whole(text)))
            }
            (false, Err(error)) => self.answer(Err(error)),
            (true, Ok(())) => {
                let text = std::mem::take(&mut self.text);
                self.send(Piece::Text(text)).and_then(|()| self.send(Piece::End))
            }
            // A reader that was too slow is not waited for once more: it learns from the missing end.
            (true, Err(StoreError::SlowReader)) => Ok(()),
            (true, Err(error)) => self.send(Piece::Fault(error)),
        };
    }
}
