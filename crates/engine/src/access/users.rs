//! All users with their rights, and the user of a session.

use std::collections::HashMap;
use std::sync::Arc;

use super::Rights;

/// The user of connections that haven't authenticated as another one.
pub const DEFAULT_USER: &[u8] = b"default";

/// The rights of all users by name. A user with `None` may do everything.
#[derive(Default)]
pub struct Users {
    by_name: HashMap<Box<[u8]>, Option<Arc<Rights>>>,
    /// The number of changes, by which sessions see that theirs may be outdated.
    changes: u64,
}

impl Users {
    /// Sets the rights of a user. They hold for the present sessions of the user, too.
    pub fn set(&mut self, name: &[u8], rights: Option<Rights>) {
        self.by_name.insert(Box::from(name), rights.map(Arc::new));
        self.changes += 1;
    }

    /// Removes a user. Its present sessions keep no right.
    pub fn remove(&mut self, name: &[u8]) {
        self.by_name.remove(name);
        self.changes += 1;
    }

    /// Returns the rights of a user. One that doesn't exist has none, but for the default user,
    /// who may do everything as long as nobody has said otherwise.
    fn rights_of(&self, name: &[u8]) -> Option<Arc<Rights>> {
        match self.by_name.get(name) {
            Some(rights) => rights.clone(),
            None if name == DEFAULT_USER => None,
            None => Some(Arc::default()),
        }
    }
}

/// The user of a session, with the rights that it had at the last request.
pub struct SessionUser {
    name: Box<[u8]>,
    rights: Option<Arc<Rights>>,
    changes: u64,
}

impl Default for SessionUser {
    fn default() -> Self {
        // Before the first change the default user may do everything.
        SessionUser { name: Box::from(DEFAULT_USER), rights: None, changes: 0 }
    }
}

impl SessionUser {
    /// Returns the user of a session that has authenticated.
    pub fn new(name: &[u8], users: &Users) -> Self {
        SessionUser { name: Box::from(name), rights: users.rights_of(name), changes: users.changes }
    }

    /// Returns the user's name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Returns the user's present rights; `None` if it may do everything.
    #[inline]
    pub fn rights(&mut self, users: &Users) -> Option<&Arc<Rights>> {
        if self.changes != users.changes {
            self.rights = users.rights_of(&self.name);
            self.changes = users.changes;
        }
        self.rights.as_ref()
    }
}
