//! Stand-in until the B-tree lands.
use std::cmp::Ordering;
pub trait Keyed: Clone { fn key(&self) -> &[u8]; }
#[derive(Clone)]
struct By<T>(T);
impl<T: Keyed> PartialEq for By<T> { fn eq(&self, o: &Self) -> bool { self.0.key() == o.0.key() } }
impl<T: Keyed> Eq for By<T> {}
impl<T: Keyed> PartialOrd for By<T> { fn partial_cmp(&self, o: &Self) -> Option<Ordering> { Some(self.cmp(o)) } }
impl<T: Keyed> Ord for By<T> { fn cmp(&self, o: &Self) -> Ordering { self.0.key().cmp(o.0.key()) } }
impl<T: Keyed> std::borrow::Borrow<[u8]> for By<T> { fn borrow(&self) -> &[u8] { self.0.key() } }
#[derive(Clone)]
pub struct BTree<T>(imbl::OrdSet<By<T>>);
impl<T: Keyed> Default for BTree<T> { fn default() -> Self { BTree(imbl::OrdSet::new()) } }
impl<T: Keyed> BTree<T> {
    pub fn len(&self) -> usize { self.0.len() }
    pub fn get(&self, key: &[u8]) -> Option<&T> { self.0.get(key).map(|b| &b.0) }
    pub fn insert(&mut self, item: T) -> Option<T> { self.0.insert(By(item)).map(|b| b.0) }
    pub fn remove(&mut self, key: &[u8]) -> Option<T> { self.0.remove(key).map(|b| b.0) }
    pub fn range_from(&self, key: &[u8]) -> impl Iterator<Item = &T> { self.0.range::<_, [u8]>((std::ops::Bound::Included(key), std::ops::Bound::Unbounded)).map(|b| &b.0) }
    pub fn range_back_from(&self, key: &[u8]) -> impl Iterator<Item = &T> { self.0.range::<_, [u8]>((std::ops::Bound::Unbounded, std::ops::Bound::Included(key))).rev().map(|b| &b.0) }
    pub fn iter_back(&self) -> impl Iterator<Item = &T> { self.0.iter().rev().map(|b| &b.0) }
}
