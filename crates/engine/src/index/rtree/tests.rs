//! The tree against a plain list, and the order of entries on cases small enough to work out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::bounds::Bounds;
use super::entries::Counts;
use super::node::{Node, NODE_ENTRIES_MAX};
use super::{Item, Measure, RTree, Reach};
use crate::geometry::distance::{Between, Window};
use crate::geometry::{Point, Rect};

#[derive(Clone, Debug, PartialEq)]
struct Thing(std::rc::Rc<usize>);

impl Item for Thing {
    fn identity(&self) -> usize {
        std::rc::Rc::as_ptr(&self.0) as usize
    }

    fn is_point(&self) -> bool {
        *self.0 & 3 > 0
    }
}

impl Thing {
    fn new(name: usize) -> Self {
        Thing(std::rc::Rc::new(name))
    }
}

fn rect(min_x: f64, min_y: f64, max_x: f64, max_y: f64) -> Rect {
    Rect::new(Point::new(min_x, min_y), Point::new(max_x, max_y))
}

fn at(x: f64, y: f64) -> Rect {
    rect(x, y, x, y)
}

const WORLD: fn() -> Rect = || rect(-1e9, -1e9, 1e9, 1e9);

/// The names of what a search finds, in order.
fn names(tree: &RTree<Thing>, area: &Rect) -> Vec<usize> {
    let mut found = Vec::new();
    let flow = tree.search(area, |thing| {
        found.push(*thing.0);
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    found
}

/// A tree of these boxes, named by position; with the items.
fn tree_of(rects: &[Rect]) -> (RTree<Thing>, Vec<Thing>) {
    let mut tree = RTree::new();
    let things: Vec<Thing> = (0..rects.len()).map(Thing::new).collect();
    for (rect, thing) in rects.iter().zip(&things) {
        tree.insert(rect, thing.clone());
    }
    (tree, things)
}

/// Asserts what holds in every node; returns the counts of its items.
fn check_node(node: &Node<Thing>, own: &Bounds) -> Counts {
    let entries = node.entry_bounds();
    assert!((1..=NODE_ENTRIES_MAX).contains(&entries.len()));
    assert!(entries.is_sorted_by(|a, b| a.min(0) <= b.min(0)), "entries are ordered");
    assert_eq!(node.bounds(), *own, "the box fits exactly");
    let mut counts = Counts::default();
    match node {
        Node::Leaf(leaf) => {
            leaf.slots.iter().for_each(|item| counts.add(Counts::one(!item.is_point())));
        }
        Node::Branch(branch) => {
            let pairs = branch.slots.iter().zip(&branch.bounds);
            pairs.for_each(|(child, bounds)| counts.add(check_node(child, bounds)));
        }
    }
    assert_eq!(node.counts(), counts);
    counts
}

fn check(tree: &RTree<Thing>) {
    let counts = tree.root.as_ref().map(|root| check_node(&root.node, &root.bounds));
    assert_eq!(counts.unwrap_or_default().items as usize, tree.len());
}

#[test]
fn an_empty_tree_finds_nothing() {
    let tree: RTree<Thing> = RTree::new();
    assert!(tree.is_empty());
    assert_eq!(tree.bounds(), None);
    assert_eq!(tree.extremes(), None);
    assert!(names(&tree, &WORLD()).is_empty());
}

#[test]
fn up_to_64_items_come_from_west_to_east_and_latest_first() {
    let rects: Vec<Rect> = (0..64).map(|i| at(f64::from(i * 7 % 16), f64::from(i))).collect();
    let (tree, _) = tree_of(&rects);
    let mut expected: Vec<usize> = (0..64).rev().collect();
    expected.sort_by_key(|&name| rects[name].min.x as i64);
    assert_eq!(names(&tree, &WORLD()), expected);
    check(&tree);
}

#[test]
fn edges_that_differ_only_in_doubles_count_as_equal() {
    let (tree, _) = tree_of(&[at(1.0, 0.0), at(1.0 + 1e-12, 0.0), at(1.0 + 2e-12, 0.0)]);
    assert_eq!(names(&tree, &WORLD()), [2, 1, 0]);
}

#[test]
fn the_65th_item_splits_a_wide_root_down_the_middle() {
    let rects: Vec<Rect> = (0..65).map(|i| at(f64::from(i), f64::from(i % 2))).collect();
    let (tree, _) = tree_of(&rects);
    let root = tree.root.as_ref().unwrap();
    let Node::Branch(entries) = &*root.node else { panic!("the root is a branch") };
    // 0..=31 are nearer to 0 than to 63; 64 went to the right half.
    assert_eq!([0, 1].map(|axis| entries.bounds[0].max(axis)), [31.0, 1.0]);
    assert_eq!([0, 1].map(|axis| entries.bounds[1].min(axis)), [32.0, 0.0]);
    assert_eq!(names(&tree, &WORLD()), (0..65).collect::<Vec<_>>());
}

#[test]
fn flat_boxes_have_no_area_to_grow_so_the_first_child_takes_all() {
    let rects: Vec<Rect> = (0..65).map(|i| at(f64::from(i), 0.0)).collect();
    let (tree, _) = tree_of(&rects);
    let expected: Vec<usize> = (0..32).chain([64]).chain(32..64).collect();
    assert_eq!(names(&tree, &WORLD()), expected);
}

#[test]
fn a_tall_root_is_split_by_latitude() {
    let rects: Vec<Rect> = (0..65).map(|i| at(f64::from(i % 2), f64::from(i))).collect();
    let (tree, _) = tree_of(&rects);
    let root = tree.root.as_ref().unwrap();
    let Node::Branch(entries) = &*root.node else { panic!("the root is a branch") };
    assert_eq!([0, 1].map(|axis| entries.bounds[0].max(axis)), [1.0, 31.0]);
    // Both halves begin at x = 0. The root grew and was new: sorting swapped them twice.
    assert_eq!([0, 1].map(|axis| entries.bounds[1].min(axis)), [0.0, 32.0]);
    check(&tree);
}

#[test]
fn a_split_of_equal_items_leaves_two_on_one_side() {
    let (tree, _) = tree_of(&vec![at(5.0, 5.0); 65]);
    let root = tree.root.as_ref().unwrap();
    let Node::Branch(entries) = &*root.node else { panic!("the root is a branch") };
    let counts: Vec<usize> = entries.slots.iter().map(|child| child.entry_bounds().len()).collect();
    assert_eq!(counts, [62, 3], "two stayed, the 65th joined them, and sorting swapped both");
    assert_eq!(names(&tree, &WORLD())[62], 64);
}

#[test]
fn of_two_children_that_contain_a_box_the_smaller_takes_it() {
    // West: a large leaf around the point 50, 0; east of its edge a small one around it too.
    let mut rects: Vec<Rect> = (0..33).map(|i| at(f64::from(i), 0.0)).collect();
    rects.push(rect(0.0, 0.0, 51.0, 10.0));
    rects.extend((0..31).map(|i| at(49.0 + f64::from(i), 0.0)));
    let (mut tree, _) = tree_of(&rects);
    tree.insert(&at(50.0, 0.0), Thing::new(1000));
    let found = names(&tree, &WORLD());
    let place = found.iter().position(|&name| name == 1000).unwrap();
    assert!(place > found.iter().position(|&name| name == 34).unwrap(), "in the eastern leaf");
}

#[test]
fn removing_keeps_the_order_of_the_rest() {
    let rects: Vec<Rect> = (0..300).map(|i| at(f64::from(i * 37 % 101), f64::from(i))).collect();
    let (mut tree, things) = tree_of(&rects);
    let before = names(&tree, &WORLD());
    assert!(tree.remove(&rects[7], &things[7]));
    assert!(!tree.remove(&rects[7], &things[7]), "it's gone");
    assert!(!tree.remove(&rects[8], &Thing::new(8)), "equal isn't same");
    let expected: Vec<usize> = before.into_iter().filter(|&name| name != 7).collect();
    assert_eq!(names(&tree, &WORLD()), expected);
    check(&tree);
}

#[test]
fn extremes_are_the_first_to_reach_the_edge() {
    let rects = [at(0.0, 0.0), at(-5.0, 3.0), at(-5.0, -9.0), at(7.0, 3.0), at(7.0, 2.0)];
    let (tree, _) = tree_of(&rects);
    let extremes = tree.extremes().unwrap().map(|thing| *thing.0);
    assert_eq!(extremes, [2, 2, 4, 2 - 1], "west: latest of equals; north: first in order");
    assert_eq!(tree.bounds(), Some(rect(-5.0, -9.0, 7.0, 3.0)));
}

#[test]
fn a_search_stops_when_told() {
    let (tree, _) = tree_of(&vec![at(0.0, 0.0); 200]);
    let mut seen = 0;
    let flow = tree.search(&WORLD(), |_| {
        seen += 1;
        if seen == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(flow.is_break());
    assert_eq!(seen, 3);
}

#[test]
fn boxes_that_are_no_numbers_are_kept_and_found_again() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 0.0];
    let mut rects = Vec::new();
    for x in odd {
        for y in odd {
            rects.extend([at(x, y), rect(x, y, y, x), rect(0.0, y, x, 1.0)]);
        }
    }
    rects.extend(rects.clone());
    rects.extend(rects.clone());
    let (mut tree, things) = tree_of(&rects);
    check(&tree);
    let snapshot = tree.clone();
    for (rect, thing) in rects.iter().zip(&things) {
        assert!(tree.remove(rect, thing), "{rect:?}");
    }
    assert!(tree.is_empty());
    check(&snapshot);
    let nowhere = at(f64::NAN, f64::NAN);
    assert_eq!(names(&snapshot, &nowhere).len(), rects.len(), "NaN restricts nothing");
}

/// Far too slow for a test if each removal searched all of them.
#[test]
fn a_quarter_million_items_at_one_place_come_and_go() {
    let mut tree = RTree::new();
    let things: Vec<Thing> = (0..250_000).map(Thing::new).collect();
    let place = at(1.0, 1.0);
    for thing in &things {
        tree.insert(&place, thing.clone());
    }
    for (name, thing) in things.iter().enumerate() {
        assert!(tree.remove(&place, thing));
        if name % 2 == 0 {
            tree.insert(&at(name as f64 / 1e4, 1.0), thing.clone());
        } else if name % 5 == 0 {
            tree.insert(&place, thing.clone());
        }
    }
    check(&tree);
    assert_eq!(tree.len(), 150_000);
}

#[test]
fn a_crowd_is_the_same_with_and_without_its_memory() {
    let place = rect(1.0, 1.0, 2.0, 3.0);
    let (mut tree, things) = tree_of(&vec![place; 20_000]);
    let mut forgetful = tree.clone();
    for thing in things.iter().step_by(3).chain(things.iter().skip(1).step_by(7)) {
        let was_there = tree.remove(&place, thing);
        assert_eq!(was_there, forgetful.remove(&place, thing));
        let next = at(*thing.0 as f64 % 13.0, 2.0);
        tree.insert(&next, thing.clone());
        forgetful.insert(&next, thing.clone());
        assert!(!tree.remove(&place, thing), "it is elsewhere now");
        if *thing.0 % 64 == 0 {
            forgetful = forgetful.clone();
        }
    }
    check(&tree);
    assert_eq!(names(&tree, &WORLD()), names(&forgetful, &WORLD()));
    let known = things.iter().filter(|thing| tree.crowd.lineage(thing.identity()).is_some());
    assert!(known.count() > 1000, "there is a memory");
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Rect),
    Remove(prop::sample::Index),
    Move(prop::sample::Index, Rect),
    Snapshot,
}

/// Boxes on a small grid, so that edges coincide; some large, some inverted.
fn any_rect() -> impl Strategy<Value = Rect> {
    let edge = || (-12_i32..12).prop_map(f64::from);
    prop_oneof![
        6 => (edge(), edge()).prop_map(|(x, y)| at(x / 3.0, y / 3.0)),
        2 => (edge(), edge(), 0_i32..4, 0_i32..4)
            .prop_map(|(x, y, w, h)| rect(x, y, x + f64::from(w), y + f64::from(h))),
        1 => (edge(), edge(), edge(), edge()).prop_map(|(a, b, c, d)| rect(a, b, c, d)),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => any_rect().prop_map(Step::Insert),
        3 => index().prop_map(Step::Remove),
        4 => (index(), any_rect()).prop_map(|(which, to)| Step::Move(which, to)),
        1 => Just(Step::Snapshot),
    ]
}

/// The tree beside a plain map of what it should hold.
#[derive(Clone, Default)]
struct Pair {
    tree: RTree<Thing>,
    model: BTreeMap<usize, (Rect, Thing)>,
    next_name: usize,
    /// Whether moves are made in one go.
    replaces: bool,
}

/// Distances as in a city of square blocks; a box is as far as its nearest corner or side.
struct City<'a> {
    origin: Point,
    distance: &'a dyn Fn(&Rect) -> f64,
    bounds: &'a dyn Fn(&Thing) -> Rect,
}

impl Measure<Thing> for City<'_> {
    fn origin(&self) -> Point {
        self.origin
    }

    fn width(&self) -> f64 {
        1.0
    }

    fn window(&self, _all: &Rect, distance: f64) -> Option<Window> {
        let Point { x, y } = self.origin;
        let corners =
            (Point::new(x - distance, y - distance), Point::new(x + distance, y + distance));
        Some(Window::new(Rect::new(corners.0, corners.1)))
    }

    fn most_at(&self, _square: f64) -> f64 {
        f64::INFINITY
    }

    fn distance(&self, bounds: &Rect) -> f64 {
        (self.distance)(bounds)
    }

    fn between(&self, bounds: &Rect) -> Between {
        Between { least: (self.distance)(bounds), most: f64::INFINITY }
    }

    fn between_closely(&self, _bounds: &Rect, between: Between) -> Between {
        between
    }

    fn filled_box(&self, item: &Thing) -> Option<Rect> {
        Some((self.bounds)(item))
    }

    fn shape_between(&self, _item: &Thing, _most: f64) -> Option<Between> {
        None
    }

    fn shape_distance(&self, item: &Thing, _most: f64) -> f64 {
        (self.distance)(&(self.bounds)(item))
    }
}

impl Pair {
    fn insert(&mut self, bounds: Rect) {
        let thing = Thing::new(self.next_name);
        self.tree.insert(&bounds, thing.clone());
        self.model.insert(self.next_name, (bounds, thing));
        self.next_name += 1;
    }

    fn pick(&self, which: prop::sample::Index) -> Option<usize> {
        let names: Vec<usize> = self.model.keys().copied().collect();
        (!names.is_empty()).then(|| *which.get(&names))
    }

    fn remove(&mut self, name: usize) {
        let (bounds, thing) = self.model.remove(&name).unwrap();
        assert!(self.tree.remove(&bounds, &thing));
    }

    fn replace(&mut self, name: usize, to: Rect) {
        let (bounds, thing) = self.model.remove(&name).unwrap();
        let next = Thing::new(self.next_name);
        self.tree.replace((&bounds, &thing), (&to, next.clone()));
        self.model.insert(self.next_name, (to, next));
        self.next_name += 1;
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Insert(bounds) => self.insert(*bounds),
            Step::Snapshot => {}
            Step::Remove(which) | Step::Move(which, _) => {
                let Some(name) = self.pick(*which) else { return };
                match step {
                    Step::Move(_, to) if self.replaces => self.replace(name, *to),
                    Step::Move(_, to) => {
                        self.remove(name);
                        self.insert(*to);
                    }
                    _ => self.remove(name),
                }
            }
        }
    }

    fn check_search(&self, area: &Rect) {
        let rounded = Bounds::of_area(area);
        let touches = |bounds: &Rect| Bounds::of_item(bounds).overlaps(&rounded);
        let expected: Vec<usize> = self
            .model
            .iter()
            .filter_map(|(name, (bounds, _))| touches(bounds).then_some(*name))
            .collect();
        let mut found = names(&self.tree, area);
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    fn check_nearest(&self, from: Point) {
        let distance = |bounds: &Rect| {
            let side = |low: f64, high: f64, q: f64| (low - q).max(q - high).max(0.0);
            let dx = side(bounds.min.x, bounds.max.x, from.x);
            dx + side(bounds.min.y, bounds.max.y, from.y)
        };
        let exact = |thing: &Thing| distance(&self.model[&*thing.0].0);
        let city =
            City { origin: from, distance: &distance, bounds: &|thing| self.model[&*thing.0].0 };
        let mut found = Vec::new();
        let everything = Reach {
            count: usize::MAX,
            distance: f64::INFINITY,
            orders_equals: true,
            tells_distances: true,
        };
        let flow = self.tree.nearest(&city, &everything, |thing, far| {
            found.push((far, *thing.0));
            ControlFlow::Continue(())
        });
        assert!(flow.is_continue());
        assert!(found.is_sorted_by(|a, b| a.0 <= b.0));
        self.check_reach(&city, &found);
        found.sort_by_key(|&(_, name)| name);
        let expected: Vec<_> =
            self.model.iter().map(|(name, (_, thing))| (exact(thing), *name)).collect();
        assert_eq!(found, expected);
    }

    /// A search of bounded reach gives the same in the same order as one that goes on for ever.
    fn check_reach(&self, city: &City, all: &[(f64, usize)]) {
        let median = all.get(all.len() / 2).map_or(0.0, |(far, _)| *far);
        for (count, distance) in
            [(1, f64::INFINITY), (7, f64::INFINITY), (usize::MAX, median), (3, median)]
        {
            let mut found = Vec::new();
            let _ = self.tree.nearest(
                city,
                &Reach { count, distance, orders_equals: true, tells_distances: true },
                |thing, far| {
                    if far > distance || found.len() == count {
                        return ControlFlow::Break(());
                    }
                    found.push((far, *thing.0));
                    ControlFlow::Continue(())
                },
            );
            let within = all.iter().filter(|(far, _)| *far <= distance).take(count);
            assert_eq!(found, within.copied().collect::<Vec<_>>());
        }
    }

    fn check_all(&self, area: &Rect) {
        check(&self.tree);
        assert_eq!(self.tree.len(), self.model.len());
        self.check_search(area);
        self.check_search(&WORLD());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn tree_and_list_agree_and_snapshots_stay(
        steps in prop::collection::vec(any_step(), 1..900),
        area in any_rect(),
    ) {
        let mut pair = Pair::default();
        let mut snapshots: Vec<(Pair, Vec<usize>)> = Vec::new();
        for step in &steps {
            pair.apply(step);
            if matches!(step, Step::Snapshot) {
                pair.check_all(&area);
                let order = names(&pair.tree, &WORLD());
                snapshots.push((pair.clone(), order));
            }
        }
        pair.check_all(&area);
        for (snapshot, order) in &snapshots {
            snapshot.check_all(&area);
            prop_assert_eq!(&names(&snapshot.tree, &WORLD()), order);
        }
    }

    #[test]
    fn what_touches_either_of_two_areas_is_found_once(
        rects in prop::collection::vec(any_rect(), 0..600),
        one in any_rect(),
        other in any_rect(),
    ) {
        let (tree, _) = tree_of(&rects);
        let mut expected = [names(&tree, &one), names(&tree, &other)].concat();
        expected.sort_unstable();
        expected.dedup();
        let mut found = Vec::new();
        let _ = tree.search_any(&[one, other], |thing| {
            found.push(*thing.0);
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn snapshots_do_not_change_the_order(steps in prop::collection::vec(any_step(), 1..600)) {
        let (mut plain, mut held) = (Pair::default(), Pair::default());
        let mut snapshots = Vec::new();
        for step in &steps {
            plain.apply(step);
            held.apply(step);
            snapshots.push(held.tree.clone());
        }
        prop_assert_eq!(names(&plain.tree, &WORLD()), names(&held.tree, &WORLD()));
    }

    #[test]
    fn to_replace_is_to_remove_and_insert(
        filling in prop::collection::vec(any_rect(), 0..1500),
        steps in prop::collection::vec(any_step(), 1..900),
    ) {
        let (mut plain, mut quick) = (Pair::default(), Pair::default());
        quick.replaces = true;
        for bounds in &filling {
            plain.insert(*bounds);
            quick.insert(*bounds);
        }
        for step in &steps {
            plain.apply(step);
            quick.apply(step);
        }
        check(&quick.tree);
        prop_assert_eq!(quick.tree.len(), quick.model.len());
        prop_assert_eq!(names(&plain.tree, &WORLD()), names(&quick.tree, &WORLD()));
    }

    #[test]
    fn nearest_is_sorted_and_complete(
        rects in prop::collection::vec(
            any_rect().prop_filter("not inverted", |r| r.min.x <= r.max.x && r.min.y <= r.max.y),
            1..400,
        ),
        x in -15_i32..15,
        y in -15_i32..15,
    ) {
        let mut pair = Pair::default();
        for bounds in &rects {
            pair.insert(*bounds);
        }
        pair.check_nearest(Point::new(f64::from(x), f64::from(y)));
    }
}
