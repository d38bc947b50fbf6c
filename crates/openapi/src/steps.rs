//! Bounds on the work that a document may ask for.

/// Steps that are left: a document of a few kilobytes can refer to its parts so that following all references takes forever.
#[derive(Debug)]
pub(crate) struct Steps(usize);

impl Steps {
    pub(crate) const fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// Takes some steps. Returns false if there are not as many left, and then none are left.
    pub(crate) fn take(&mut self, steps: usize) -> bool {
        let left = self.0.checked_sub(steps);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }

    pub(crate) fn left(&self) -> usize {
        self.0
    }
}
