//! The course of one visit as a state machine: what an observation or the time brings about.
//!
//! A visit begins when an object is observed inside and ends when it is observed outside; with
//! LINGER, when it has stayed outside for some time. If the clock steps back, timers end later, and
//! the time of EVERY begins anew.

use smallvec::SmallVec;

use super::presence_options::PresenceOptions;

/// The state of a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisitState {
    /// When the visit began, in nanoseconds since 1970.
    pub entered_ns: i64,
    /// The number of durations of DWELL that have passed.
    pub dwells: u8,
    /// When the object left the area; `None` while it is inside.
    pub left_ns: Option<i64>,
    /// When the last `inside` message was sent; only with EVERY.
    pub told_ns: Option<i64>,
    /// Whether the visit has ended. The state is kept for EVERY only.
    pub is_over: bool,
    /// Whether the object is so far from the area that the index of areas doesn't find the fence.
    pub is_astray: bool,
}

/// An occurrence of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// The visit ends.
    Exit,
    /// A visit begins.
    Enter,
    /// The object is inside.
    Inside,
    /// The duration of DWELL with this number has passed.
    Dwell(usize),
}

/// The occurrences of one step, in their order.
pub type Occurrences = SmallVec<[Occurrence; 4]>;

/// The facts about a visit that a write gives.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// Whether the object is inside.
    pub is_inside: bool,
    /// Whether an `inside` message may be sent.
    pub may_tell: bool,
    /// The time in nanoseconds since 1970.
    pub now_ns: i64,
}

impl PresenceOptions {
    /// Returns the state after an observation, `None` if nothing has to be remembered. The time
    /// must have passed for the state before.
    pub fn observe(
        &self,
        state: Option<VisitState>,
        observation: Observation,
        occurrences: &mut Occurrences,
    ) -> Option<VisitState> {
        let Observation { is_inside, may_tell, now_ns } = observation;
        let present = state.filter(|state| !state.is_over);
        if !is_inside {
            return match present {
                Some(present) if self.linger_ns.is_some() => {
                    Some(VisitState { left_ns: present.left_ns.or(Some(now_ns)), ..present })
                }
                Some(present) => self.end(present, now_ns, occurrences),
                None => state,
            };
        }
        let mut next = if let Some(present) = present {
            VisitState { left_ns: None, ..present }
        } else {
            occurrences.push(Occurrence::Enter);
            let told_ns = state.and_then(|state| state.told_ns);
            VisitState { entered_ns: now_ns, told_ns, ..VisitState::default() }
        };
        if may_tell && self.may_tell_inside(&next, now_ns) {
            occurrences.push(Occurrence::Inside);
            next.told_ns = self.every_ns.map(|_| now_ns);
        }
        self.elapse(next, now_ns, occurrences)
    }

    fn may_tell_inside(&self, state: &VisitState, now_ns: i64) -> bool {
        let Some(every_ns) = self.every_ns else { return true };
        let is_due = |told_ns: i64| now_ns < told_ns || now_ns >= told_ns.saturating_add(every_ns);
        state.told_ns.is_none_or(is_due)
    }

    /// Returns the state after the time has passed; `None` if nothing has to be remembered.
    pub fn elapse(
        &self,
        mut state: VisitState,
        now_ns: i64,
        occurrences: &mut Occurrences,
    ) -> Option<VisitState> {
        if state.is_over {
            return (!self.may_tell_inside(&state, now_ns)).then_some(state);
        }
        if let Some(left_ns) = state.left_ns {
            let is_due = now_ns >= left_ns.saturating_add(self.linger_ns.unwrap_or(0));
            return if is_due { self.end(state, now_ns, occurrences) } else { Some(state) };
        }
        while self.dwell_due_ns(&state).is_some_and(|due_ns| now_ns >= due_ns) {
            occurrences.push(Occurrence::Dwell(usize::from(state.dwells)));
            state.dwells += 1;
        }
        Some(state)
    }

    fn end(
        &self,
        state: VisitState,
        now_ns: i64,
        occurrences: &mut Occurrences,
    ) -> Option<VisitState> {
        occurrences.push(Occurrence::Exit);
        self.ended(state, now_ns)
    }

    /// Returns the state that is kept after the end of a visit; `None` if none is needed.
    pub fn ended(&self, state: VisitState, now_ns: i64) -> Option<VisitState> {
        let over = VisitState { told_ns: state.told_ns, is_over: true, ..VisitState::default() };
        (!self.may_tell_inside(&over, now_ns)).then_some(over)
    }

    fn dwell_due_ns(&self, state: &VisitState) -> Option<i64> {
        let dwell = self.dwells.get(usize::from(state.dwells))?;
        Some(state.entered_ns.saturating_add(dwell.duration_ns))
    }

    /// Returns when the time next changes a state; `None` if it doesn't.
    pub fn deadline_ns(&self, state: &VisitState) -> Option<i64> {
        if state.is_over {
            return Some(state.told_ns?.saturating_add(self.every_ns?));
        }
        match state.left_ns {
            Some(left_ns) => Some(left_ns.saturating_add(self.linger_ns?)),
            None => self.dwell_due_ns(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::presence_options::Dwell;
    use super::Occurrence::{Dwell as Dwelt, Enter, Exit, Inside};
    use super::*;

    const SECOND_NS: i64 = 1_000_000_000;

    /// A visit that is observed at whole seconds.
    struct Course {
        options: PresenceOptions,
        state: Option<VisitState>,
    }

    impl Course {
        fn new(dwells: &[i64], every: Option<i64>, linger: Option<i64>) -> Self {
            let dwells = dwells
                .iter()
                .map(|seconds| Dwell { duration_ns: seconds * SECOND_NS, text: [].into() });
            let options = PresenceOptions {
                dwells: dwells.collect(),
                every_ns: every.map(|seconds| seconds * SECOND_NS),
                linger_ns: linger.map(|seconds| seconds * SECOND_NS),
                ..PresenceOptions::default()
            };
            Course { options, state: None }
        }

        fn see(&mut self, second: i64, is_inside: bool) -> Vec<Occurrence> {
            let mut found = Occurrences::new();
            let observation = Observation { is_inside, may_tell: true, now_ns: second * SECOND_NS };
            let now_ns = second * SECOND_NS;
            let elapsed = |state| self.options.elapse(state, now_ns, &mut found);
            let state = self.state.and_then(elapsed);
            self.state = self.options.observe(state, observation, &mut found);
            found.to_vec()
        }

        fn wait(&mut self, second: i64) -> Vec<Occurrence> {
            let mut found = Occurrences::new();
            let now_ns = second * SECOND_NS;
            self.state =
                self.state.and_then(|state| self.options.elapse(state, now_ns, &mut found));
            found.to_vec()
        }

        fn deadline(&self) -> Option<i64> {
            Some(self.options.deadline_ns(&self.state?)? / SECOND_NS)
        }
    }

    #[test]
    fn without_times_each_observation_tells() {
        let mut course = Course::new(&[], None, None);
        assert_eq!(course.see(0, false), []);
        assert_eq!(course.see(1, true), [Enter, Inside]);
        assert_eq!(course.see(2, true), [Inside]);
        assert_eq!(course.deadline(), None);
        assert_eq!(course.see(3, false), [Exit]);
        assert_eq!(course.state, None);
    }

    #[test]
    fn each_dwell_comes_once_by_the_clock_alone() {
        let mut course = Course::new(&[30, 300], None, None);
        course.see(0, true);
        assert_eq!(course.deadline(), Some(30));
        assert_eq!(course.wait(29), []);
        assert_eq!(course.wait(30), [Dwelt(0)]);
        assert_eq!(course.see(31, true), [Inside]);
        assert_eq!(course.deadline(), Some(300));
        assert_eq!(course.see(400, false), [Dwelt(1), Exit]);
        assert_eq!(course.see(500, true), [Enter, Inside]);
        assert_eq!(course.wait(900), [Dwelt(0), Dwelt(1)]);
        assert_eq!(course.deadline(), None);
    }

    #[test]
    fn a_clock_that_steps_back_delays_a_dwell() {
        let mut course = Course::new(&[30], None, None);
        course.see(1000, true);
        assert_eq!(course.see(0, true), [Inside]);
        assert_eq!(course.wait(100), []);
        assert_eq!(course.wait(1030), [Dwelt(0)]);
    }

    #[test]
    fn an_exit_lingers_and_a_return_cancels_it() {
        let mut course = Course::new(&[20], None, Some(10));
        course.see(0, true);
        assert_eq!(course.see(5, false), []);
        assert_eq!(course.see(9, false), []);
        assert_eq!(course.deadline(), Some(15));
        assert_eq!(course.see(14, true), [Inside]);
        assert_eq!(course.deadline(), Some(20));
        // The time outside counts as part of the visit, but no dwell comes meanwhile.
        assert_eq!(course.see(15, false), []);
        assert_eq!(course.wait(24), []);
        assert_eq!(course.see(24, true), [Inside, Dwelt(0)]);
        assert_eq!(course.see(30, false), []);
        assert_eq!(course.wait(40), [Exit]);
        assert_eq!(course.state, None);
    }

    #[test]
    fn a_return_after_the_time_to_linger_is_another_visit() {
        let mut course = Course::new(&[], None, Some(10));
        course.see(0, true);
        course.see(1, false);
        assert_eq!(course.see(11, true), [Exit, Enter, Inside]);
    }

    #[test]
    fn inside_comes_no_more_often_than_every_so_often_also_over_visits() {
        let mut course = Course::new(&[], Some(60), None);
        assert_eq!(course.see(0, true), [Enter, Inside]);
        assert_eq!(course.see(59, true), []);
        assert_eq!(course.see(60, true), [Inside]);
        assert_eq!(course.see(61, false), [Exit]);
        assert_eq!(course.deadline(), Some(120));
        assert_eq!(course.see(62, true), [Enter]);
        assert_eq!(course.see(63, false), [Exit]);
        assert_eq!(course.see(64, false), []);
        assert_eq!(course.wait(120), []);
        assert_eq!(course.state, None);
        assert_eq!(course.see(121, true), [Enter, Inside]);
        assert_eq!(course.see(3, true), [Inside]);
    }
}
