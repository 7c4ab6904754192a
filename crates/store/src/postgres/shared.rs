//! Connections that many look-ups share. What waits at once is sent together, and answered together: that takes the server
//! and the database far fewer turns than a connection for each, and a look-up is done before it could be in the way.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::pool::Client;

/// How many look-ups are under way on a connection at the most. Beyond, and so where one of them waits for a lock, the others
/// go by connections of their own.
const AT_ONCE: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Shared {
    places: Box<[Place]>,
    next: AtomicUsize,
}

#[derive(Debug, Default)]
struct Place {
    connection: Mutex<Option<Arc<Connection>>>,
    under_way: AtomicUsize,
}

/// A connection that is shared. It does not go back to the others, since it is set for look-ups.
#[derive(Debug)]
pub(super) struct Connection {
    client: Option<Client>,
    is_left: AtomicBool,
}

impl Shared {
    pub(super) fn new(connections: usize) -> Self {
        Self { places: (0..connections).map(|_| Place::default()).collect(), next: AtomicUsize::new(0) }
    }

    /// Room for a look-up, if there is any: where the fewest are under way, by turns among equals.
    pub(super) fn join(&self) -> Option<Seat<'_>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(self.places.len())?;
        let (behind, before) = self.places.split_at(turn);
        let place =
            before.iter().chain(behind).min_by_key(|place| place.under_way.load(Ordering::Relaxed))?;
        let under_way = place.under_way.fetch_add(1, Ordering::Relaxed);
        let seat = Seat(place);
        (under_way < AT_ONCE).then_some(seat)
    }

    /// How many connections are here that nobody uses.
    pub(super) fn idle(&self) -> usize {
        let is_idle = |place: &&Place| place.under_way.load(Ordering::Relaxed) == 0 && place.lock().is_some();
        self.places.iter().filter(is_idle).count()
    }

    /// Closes the connections, as soon as nobody uses them.
    pub(super) fn clear(&self) {
        for place in &self.places {
            drop(place.lock().take());
        }
    }
}

impl Place {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Connection>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for a look-up, until it is dropped.
pub(super) struct Seat<'a>(&'a Place);

impl Seat<'_> {
    /// The connection that is here, if it lives.
    pub(super) fn connection(&self) -> Option<Arc<Connection>> {
        self.0.lock().as_ref().filter(|connection| connection.is_good()).cloned()
    }

    /// Shares a connection, unless another has been there first.
    pub(super) fn share(&self, client: Client) -> Arc<Connection> {
        let connection = Arc::new(Connection { client: Some(client), is_left: AtomicBool::new(false) });
        let mut place = self.0.lock();
        match &*place {
            Some(first) if first.is_good() => Arc::clone(first),
            _ => Arc::clone(place.insert(connection)),
        }
    }
}

impl Connection {
    /// The connection itself, which is there for as long as this is.
    pub(super) fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    fn is_good(&self) -> bool {
        !self.is_left.load(Ordering::Relaxed)
            && self.client.as_ref().is_some_and(|client| !client.is_closed())
    }

    /// Leaves it to what is stuck on it: nobody begins anything on it any more.
    pub(super) fn leave(&self) {
        self.is_left.store(true, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        drop(self.client.take().map(Client::taken));
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_on_each_connection() {
        assert!(Shared::new(0).join().is_none());
        let shared = Shared::new(2);
        let mut seats: Vec<_> = (0..2 * AT_ONCE).map(|_| shared.join().unwrap()).collect();
        assert!(shared.join().is_none());
        seats.pop();
        assert!(shared.join().is_some());
        assert!(shared.join().is_some());
    }
}
