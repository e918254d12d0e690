//! TEST: compares areas, which AND, OR and NOT may combine, by WITHIN or INTERSECTS.

use triomphe::Arc;

use super::{read, Arity, Command, Flags, Group, Keys};
use crate::call::{Budget, Call, Words};
use crate::error::{Error, Result};
use crate::geometry::{clip, predicates, Geometry};
use crate::keyspace::Keyspace;
use crate::query::area::{Area, Reader};
use crate::reply::{write_bulk, write_header, write_integer};

pub(super) const COMMANDS: &[Command] = &[read(
    "TEST",
    Arity::AtLeast(1),
    test,
    "area (WITHIN | INTERSECTS [CLIP]) area",
    "Tell whether an area lies within or intersects another",
)
.group(Group::Search)
.keys(Keys::Areas)
.with(Flags::STALE_OK)];

/// Vertices that cost as much as one unit of work.
const VERTICES_PER_WORK: usize = 32;

/// Maximum depth of nested parentheses.
const DEPTH_MAX: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// An area, or a group to which no operator was given; the latter is always false.
    None,
    And,
    Or,
}

struct Node {
    operator: Operator,
    is_negated: bool,
    area: Option<Area>,
    children: Vec<usize>,
}

/// An expression: nodes that refer to each other by index.
struct Tree {
    nodes: Vec<Node>,
    root: usize,
}

/// Builds a tree word by word, as Tile38 does: a closed group becomes the current node, so that
/// operands before its unfinished parent are lost.
struct Parser<'k> {
    keyspace: &'k Keyspace,
    reader: Reader,
    nodes: Vec<Node>,
    current: Option<usize>,
    groups: Vec<usize>,
    is_negated: bool,
    expects_operand: bool,
}

impl Parser<'_> {
    fn parse(mut self, words: &mut Words) -> Result<Tree> {
        while let Some(word) = words.peek() {
            let mut rest = *words;
            rest.advance(1);
            if !self.take(word, &mut rest)? {
                break;
            }
            *words = rest;
        }
        match self.current {
            Some(root) if self.groups.is_empty() && !self.expects_operand => {
                Ok(Tree { nodes: self.nodes, root })
            }
            _ => Err(Error::WrongArity),
        }
    }

    fn take(&mut self, word: &[u8], words: &mut Words) -> Result<bool> {
        match &word.to_ascii_uppercase()[..] {
            b"NOT" => {
                self.is_negated = !self.is_negated;
                self.expects_operand = true;
            }
            b"(" => self.open(word)?,
            b")" => self.close(word)?,
            b"AND" => self.combine(Operator::And, word)?,
            b"OR" => self.combine(Operator::Or, word)?,
            b"WITHIN" | b"INTERSECTS" => return Ok(false),
            _ => match Area::parse(word, words, self.reader, self.keyspace)? {
                Some(area) => self.add(Some(area)),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn add(&mut self, area: Option<Area>) {
        let is_group = area.is_none();
        let is_negated = std::mem::take(&mut self.is_negated);
        let children = Vec::new();
        let node = self.push(Node { operator: Operator::None, is_negated, area, children });
        match self.current {
            Some(parent) => self.nodes[parent].children.push(node),
            None => self.current = Some(node),
        }
        if is_group {
            self.current = Some(node);
        }
        self.expects_operand = is_group;
    }

    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn open(&mut self, word: &[u8]) -> Result<()> {
        if self.groups.len() == DEPTH_MAX {
            return Err(Error::invalid(word));
        }
        self.add(None);
        self.groups.extend(self.current);
        Ok(())
    }

    fn close(&mut self, word: &[u8]) -> Result<()> {
        if self.expects_operand {
            // The error for an empty group is a missing operand, elsewhere a misplaced parenthesis.
            return Err(if self.is_in_empty_group() {
                Error::WrongArity
            } else {
                Error::invalid(word)
            });
        }
        let group = self.groups.pop().ok_or_else(|| Error::invalid(word))?;
        self.current = Some(group);
        Ok(())
    }

    fn is_in_empty_group(&self) -> bool {
        let group = self.groups.last().map(|group| &self.nodes[*group]);
        let is_empty = |node: &Node| node.operator == Operator::None && node.children.is_empty();
        group.is_some_and(is_empty) && !self.is_negated
    }

    fn combine(&mut self, operator: Operator, word: &[u8]) -> Result<()> {
        let misplaced = || Error::invalid(&word.to_ascii_lowercase());
        let current = match self.current {
            Some(current) if !self.expects_operand => current,
            _ => return Err(misplaced()),
        };
        self.expects_operand = true;
        let is_group = self.nodes[current].area.is_none();
        match (self.nodes[current].operator, operator) {
            (Operator::None, _) if is_group => self.nodes[current].operator = operator,
            (Operator::None, _) | (Operator::And, Operator::Or) => {
                self.current = Some(self.wrap(operator, current));
            }
            (Operator::Or, Operator::And) => {
                if let Some(last) = self.nodes[current].children.pop() {
                    let wrapped = self.wrap(operator, last);
                    self.nodes[current].children.push(wrapped);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn wrap(&mut self, operator: Operator, child: usize) -> usize {
        self.push(Node { operator, is_negated: false, area: None, children: vec![child] })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Within,
    Intersects,
}

impl Relation {
    /// Returns whether the relation holds. A NOT on either side negates it once, also if both have
    /// one.
    fn holds(self, left: (&Tree, usize), right: (&Tree, usize)) -> bool {
        let is_negated = left.0.nodes[left.1].is_negated || right.0.nodes[right.1].is_negated;
        self.holds_plain(left, right) != is_negated
    }

    fn holds_plain(self, left: (&Tree, usize), right: (&Tree, usize)) -> bool {
        let (left_node, right_node) = (&left.0.nodes[left.1], &right.0.nodes[right.1]);
        let child_of_right = |child: &usize| self.holds_unnegated_left(left, (right.0, *child));
        match right_node.operator {
            Operator::And => return right_node.children.iter().all(child_of_right),
            Operator::Or => return right_node.children.iter().any(child_of_right),
            Operator::None => {}
        }
        let child_of_left = |child: &usize| self.holds((left.0, *child), right);
        match left_node.operator {
            Operator::And => left_node.children.iter().all(child_of_left),
            Operator::Or => left_node.children.iter().any(child_of_left),
            Operator::None => match (&left_node.area, &right_node.area) {
                (Some(left), Some(right)) => self.compare(left, right),
                _ => false,
            },
        }
    }

    /// Returns whether the relation holds without the left operand's NOT, which was applied where
    /// the comparison began.
    fn holds_unnegated_left(self, left: (&Tree, usize), right: (&Tree, usize)) -> bool {
        self.holds_plain(left, right) != right.0.nodes[right.1].is_negated
    }

    /// Returns about how many vertices a comparison looks at.
    fn cost(self, left: &Geometry, right: &Geometry) -> usize {
        match self {
            Relation::Within => predicates::cost_of_contains(right, left),
            Relation::Intersects => predicates::cost_of_intersects(left, right),
        }
    }

    fn compare(self, left: &Area, right: &Area) -> bool {
        let (Some(a), Some(b)) = (&left.geometry, &right.geometry) else { return false };
        match self {
            Relation::Within => predicates::contains(b, a),
            Relation::Intersects => predicates::intersects(a, b),
        }
    }
}

/// TEST expression (WITHIN | INTERSECTS [CLIP]) expression
fn test(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let parser = |has_clip| Parser {
        keyspace,
        reader: Reader::Test { has_clip },
        nodes: Vec::new(),
        current: None,
        groups: Vec::new(),
        is_negated: false,
        expects_operand: true,
    };
    let left = parser(false).parse(&mut words)?;
    let (relation, has_clip) = take_relation(&mut words)?;
    let right = parser(has_clip).parse(&mut words)?;
    if has_clip && !(left.is_area() && right.is_area()) {
        return Err(Error::invalid(b"clip"));
    }
    if words.left() > 0 {
        return Err(Error::WrongArity);
    }
    charge(&left, &right, relation, call.budget)?;
    let holds = relation.holds((&left, left.root), (&right, right.root));
    let clipped = match (left.single(), right.single()) {
        (Some(left), Some(right)) if has_clip && holds => Some(clip::clip(left, &right.bounds())),
        _ => None,
    };
    call.budget.check_deadline()?;
    reply(call, holds, clipped.as_ref());
    Ok(())
}

/// Charges for comparing each area of one expression with each of the other.
fn charge(left: &Tree, right: &Tree, relation: Relation, budget: &mut Budget) -> Result<()> {
    left.geometries().try_for_each(|left| {
        let costs = right.geometries().map(|right| relation.cost(left, right));
        budget.charge((costs.fold(0, usize::saturating_add) / VERTICES_PER_WORK) as u64)
    })
}

fn take_relation(words: &mut Words) -> Result<(Relation, bool)> {
    let word = words.next_filled()?;
    let relation = match &word.to_ascii_uppercase()[..] {
        b"WITHIN" => Relation::Within,
        b"INTERSECTS" => Relation::Intersects,
        _ => return Err(Error::invalid(word)),
    };
    let clip = words.peek();
    let has_clip = words.take_keyword("CLIP");
    match clip {
        Some(clip) if has_clip && relation == Relation::Within => Err(Error::invalid(clip)),
        _ => Ok((relation, has_clip)),
    }
}

impl Tree {
    /// Returns whether the expression is one area.
    fn is_area(&self) -> bool {
        self.nodes[self.root].area.is_some()
    }

    /// Returns the geometries of all areas.
    fn geometries(&self) -> impl Iterator<Item = &Geometry> {
        self.nodes.iter().filter_map(|node| node.area.as_ref()?.geometry.as_deref())
    }

    /// Returns the geometry of an expression that is one area; `None` for a stored string.
    fn single(&self) -> Option<&Arc<Geometry>> {
        self.nodes[self.root].area.as_ref().and_then(|area| area.geometry.as_ref())
    }
}

fn reply(call: &mut Call, holds: bool, clipped: Option<&Geometry>) {
    if call.is_json() {
        let word: &[u8] = if holds { b"true" } else { b"false" };
        call.write_member("result", |out| out.extend_from_slice(word));
        if let Some(geometry) = clipped {
            call.write_member("object", |out| geometry.write_json(out));
        }
        return;
    }
    let Some(geometry) = clipped else { return write_integer(call.out, i64::from(holds)) };
    write_header(call.out, b'*', 2);
    write_integer(call.out, 1);
    let mut text = Vec::new();
    geometry.write_json(&mut text);
    write_bulk(call.out, &text);
}
