//! A sign of life while something takes long; nothing where standard error is no terminal.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::ProgressBar;

/// Shows what is being done until it is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Begins with this stage.
    pub(super) fn new(stage: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(stage);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Goes on to this stage.
    pub(super) fn stage(&self, stage: impl Into<Cow<'static, str>>) {
        self.0.set_message(stage);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
