//! `Garbage`: removed data that takes long to free, for a thread on which nobody waits.

use std::sync::Arc;

use crate::collection::Collection;
use crate::object::Object;

/// Objects with fewer points, and collections with fewer points and objects, are freed at once.
const POINTS_MIN: usize = 4096;

enum Item {
    Object(#[allow(dead_code)] Object),
    Collection(#[allow(dead_code)] Box<Collection>),
    Collections(#[allow(dead_code)] imbl::OrdMap<Arc<[u8]>, Collection>),
}

/// Removed data. Dropping it frees the memory, on any thread.
#[derive(Default)]
pub struct Garbage(Vec<Item>);

impl Clone for Garbage {
    /// Returns none: a snapshot removes nothing.
    fn clone(&self) -> Self {
        Garbage::default()
    }
}

impl Garbage {
    /// Returns whether there is nothing to free.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps a removed object if it is large.
    #[inline]
    pub(crate) fn keep_object(&mut self, removed: Option<&Object>) {
        if let Some(object) = removed.filter(|object| object.has_own_shape(POINTS_MIN)) {
            self.0.push(Item::Object(object.clone()));
        }
    }

    /// Keeps a removed collection if it is large.
    pub(crate) fn keep_collection(&mut self, removed: Collection) {
        if removed.counts().points >= POINTS_MIN || removed.len() >= POINTS_MIN {
            self.0.push(Item::Collection(Box::new(removed)));
        }
    }

    /// Keeps all collections of a keyspace.
    pub(crate) fn keep_collections(&mut self, removed: imbl::OrdMap<Arc<[u8]>, Collection>) {
        if !removed.is_empty() {
            self.0.push(Item::Collections(removed));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Engine;
    use crate::session::{Batch, Session};

    fn run(engine: &mut Engine, words: &[&str]) -> Batch {
        Session::new(false, None).run_words(engine, words, 0, &|| 0)
    }

    fn line(count: usize) -> String {
        format!(r#"{{"type":"LineString","coordinates":[[0,0]{}]}}"#, ",[1,1]".repeat(count - 1))
    }

    #[test]
    fn each_way_of_removing_a_large_object_leaves_it_to_the_driver() {
        let large = line(super::POINTS_MIN);
        let removals: [&[&str]; 7] = [
            &["SET", "k", "a", "POINT", "1", "2"],
            &["DEL", "k", "a"],
            &["PDEL", "k", "*"],
            &["DROP", "k"],
            &["FLUSHDB"],
            &["RENAME", "other", "k"],
            &["EXPIRE", "k", "a", "0"],
        ];
        for words in removals {
            let mut engine = Engine::new(false);
            run(&mut engine, &["SET", "other", "a", "POINT", "1", "2"]);
            let set = run(&mut engine, &["SET", "k", "a", "OBJECT", &large]);
            assert!(set.garbage.is_empty());
            let mut garbage = run(&mut engine, words).garbage;
            if words[0] == "EXPIRE" {
                assert!(garbage.is_empty());
                engine.expire(1, 10, &mut Vec::new());
                garbage = engine.keyspace.take_garbage();
            }
            assert!(!garbage.is_empty(), "{words:?}");
            assert!(engine.keyspace.take_garbage().is_empty());
        }
    }

    #[test]
    fn small_objects_and_refused_writes_leave_nothing() {
        let mut engine = Engine::new(false);
        let (small, large) = (line(super::POINTS_MIN - 1), line(super::POINTS_MIN));
        run(&mut engine, &["SET", "k", "a", "OBJECT", &small]);
        assert!(run(&mut engine, &["SET", "k", "a", "OBJECT", &large]).garbage.is_empty());
        assert!(run(&mut engine, &["SET", "k", "a", "NX", "POINT", "1", "2"]).garbage.is_empty());
        assert!(run(&mut engine, &["DEL", "k", "b"]).garbage.is_empty());
    }
}
