//! A thread that frees large removed data: the event loop would hold up all clients meanwhile.

use std::sync::mpsc::{sync_channel, SyncSender};
use std::sync::OnceLock;
use std::thread;

use ::engine::garbage::Garbage;

/// Pieces of garbage that wait for the thread; when there are more, the caller frees them.
const QUEUE_COUNT_MAX: usize = 256;

/// Frees garbage soon, on a thread of its own. It never takes the GIL.
#[inline]
pub fn dispose(garbage: Garbage) {
    if !garbage.is_empty() {
        send(garbage);
    }
}

fn send(garbage: Garbage) {
    static SENDER: OnceLock<Option<SyncSender<Garbage>>> = OnceLock::new();
    let sender = SENDER.get_or_init(|| {
        let (sender, receiver) = sync_channel(QUEUE_COUNT_MAX);
        let builder = thread::Builder::new().name("disposal".to_string());
        builder.spawn(move || receiver.into_iter().for_each(drop)).ok().map(|_| sender)
    });
    if let Some(sender) = sender {
        // If the queue is full, the error has the garbage, which is freed here.
        drop(sender.try_send(garbage));
    }
}
