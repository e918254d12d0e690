//! The B-tree against the standard library's map, as a model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{BTree, Keyed};

/// An item: a key, and a number that distinguishes items with equal keys.
#[derive(Clone, Debug, PartialEq)]
struct Entry(std::rc::Rc<(Vec<u8>, usize)>);

impl Keyed for Entry {
    fn key(&self) -> &[u8] {
        &self.0 .0
    }
}

fn entry(key: &[u8], number: usize) -> Entry {
    Entry(std::rc::Rc::new((key.to_vec(), number)))
}

type Model = BTreeMap<Vec<u8>, Entry>;

fn check(tree: &BTree<Entry>, model: &Model) {
    assert_eq!(tree.root.as_ref().map_or(0, |root| root.check(tree.height)), model.len());
    assert_eq!(tree.len(), model.len());
    assert_eq!(tree.is_empty(), model.is_empty());
    assert!(tree.iter().eq(model.values()));
    assert!(tree.iter_back().eq(model.values().rev()));
}

fn check_key(tree: &BTree<Entry>, model: &Model, key: &[u8]) {
    assert_eq!(tree.get(key), model.get(key));
    let (up, down) = (model.range(key.to_vec()..), model.range(..=key.to_vec()));
    assert!(tree.range_from(key).eq(up.map(|(_, entry)| entry)));
    assert!(tree.range_back_from(key).eq(down.rev().map(|(_, entry)| entry)));
}

fn numbered(numbers: impl Iterator<Item = usize>) -> (BTree<Entry>, Model) {
    let (mut tree, mut model) = (BTree::default(), Model::new());
    for number in numbers {
        let entry = entry(format!("truck:{number:06}").as_bytes(), number);
        model.insert(entry.key().to_vec(), entry.clone());
        assert_eq!(tree.insert(entry), None);
    }
    (tree, model)
}

#[test]
fn an_update_is_given_the_item_that_it_replaces() {
    let (mut tree, model) = numbered(0..200);
    let key = b"truck:000123";
    let stored = tree.update(key, |present| {
        assert_eq!(present, model.get(&key[..]));
        Ok::<Entry, ()>(entry(key, 1))
    });
    assert_eq!(stored, Ok((entry(key, 1), Some(entry(key, 123)))));
    assert_eq!(tree.get(key), Some(&entry(key, 1)));
    assert_eq!(tree.len(), 200);
}

#[test]
fn an_update_that_fails_changes_nothing() {
    let (mut tree, model) = numbered(0..200);
    for key in [&b"truck:000123"[..], b"bus"] {
        assert_eq!(tree.update(key, |_| Err("refused")), Err("refused"));
    }
    check(&tree, &model);
    let mut empty: BTree<Entry> = BTree::default();
    assert_eq!(empty.update(b"bus", |_| Err("refused")), Err("refused"));
    check(&empty, &Model::new());
}

#[test]
fn an_empty_tree_contains_no_item() {
    let mut tree: BTree<Entry> = BTree::default();
    check(&tree, &Model::new());
    check_key(&tree, &Model::new(), b"a");
    assert_eq!(tree.remove(b"a"), None);
}

#[test]
fn an_item_with_an_equal_key_replaces_the_former() {
    let mut tree = BTree::default();
    assert_eq!(tree.insert(entry(b"a", 1)), None);
    assert_eq!(tree.insert(entry(b"a", 2)), Some(entry(b"a", 1)));
    assert_eq!(tree.get(b"a"), Some(&entry(b"a", 2)));
    assert_eq!(tree.len(), 1);
}

#[test]
fn ascending_and_descending_keys_fill_the_leaves() {
    for (tree, model) in [numbered(0..10_000), numbered((0..10_000).rev())] {
        check(&tree, &model);
        let mut leaves = 0;
        let mut nodes: Vec<_> = tree.root.iter().collect();
        while let Some(node) = nodes.pop() {
            match &**node {
                super::Node::Branch(branch) => nodes.extend(branch.children()),
                super::Node::Leaf(_) => leaves += 1,
            }
        }
        assert!(leaves <= 10_000 / super::node::NODE_ENTRIES_MAX + 2, "{leaves} leaves");
    }
}

fn remove_all(mut tree: BTree<Entry>, mut model: Model, order: impl Iterator<Item = usize>) {
    for (step, number) in order.enumerate() {
        let key = format!("truck:{number:06}").into_bytes();
        assert_eq!(tree.remove(&key), model.remove(&key));
        if step % 1000 == 0 {
            check(&tree, &model);
        }
    }
    check(&tree, &model);
}

#[test]
fn removing_everything_in_any_order_leaves_an_empty_tree() {
    for stride in [1, 7, 4_999] {
        let (tree, model) = numbered((0..10_000).map(|n| n * 7_919 % 10_000));
        remove_all(tree, model, (0..10_000).map(|n| n * stride % 10_000));
    }
}

#[test]
fn a_branch_between_full_ones_can_become_empty() {
    let (tree, model) = numbered(0..16_000);
    let middle = 3_000..13_000;
    remove_all(tree, model, middle);
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Vec<u8>),
    Remove(Vec<u8>),
    RemovePresent(prop::sample::Index),
    Snapshot,
}

/// Keys with common prefixes of all lengths, among them keys of zeros and of equal bytes.
fn any_key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0_u32..3000).prop_map(|n| format!("truck:{n:06}").into_bytes()),
        2 => prop::collection::vec(0_u8..3, 0..8),
        1 => prop::collection::vec(any::<u8>(), 0..4),
        1 => (0_usize..12, 0_u8..3).prop_map(|(n, end)| [vec![b't'; n], vec![end]].concat()),
    ]
}

fn any_step(removals: u32) -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any_key().prop_map(Step::Insert),
        1 => any_key().prop_map(Step::Remove),
        removals => any::<prop::sample::Index>().prop_map(Step::RemovePresent),
        1 => Just(Step::Snapshot),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tree_and_map_agree_and_snapshots_stay_as_they_were(
        growth in prop::collection::vec(any_step(2), 1..1000),
        decline in prop::collection::vec(any_step(12), 1..1000),
        probes in prop::collection::vec(any_key(), 1..20),
    ) {
        let (mut tree, mut model) = (BTree::default(), Model::new());
        let mut snapshots = Vec::new();
        for (number, step) in growth.into_iter().chain(decline).enumerate() {
            match step {
                Step::Insert(key) => {
                    let new = entry(&key, number);
                    prop_assert_eq!(tree.insert(new.clone()), model.insert(key, new));
                }
                Step::Remove(key) => prop_assert_eq!(tree.remove(&key), model.remove(&key)),
                Step::RemovePresent(which) if !model.is_empty() => {
                    let key = model.keys().nth(which.index(model.len())).unwrap().clone();
                    prop_assert_eq!(tree.remove(&key), model.remove(&key));
                }
                Step::RemovePresent(_) => {}
                Step::Snapshot => snapshots.push((tree.clone(), model.clone())),
            }
        }
        snapshots.push((tree, model));
        for (tree, model) in &snapshots {
            check(tree, model);
        }
        let (tree, model) = &snapshots[snapshots.len() / 2];
        for probe in probes {
            check_key(tree, model, &probe);
        }
    }
}
