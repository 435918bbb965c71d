//! Calls from tasks of tokio: each runs on a thread for blocking work, so that the runtime goes on.
//!
//! How many run at once is bounded by the runtime (`tokio::runtime::Builder::max_blocking_threads`). A call that has begun
//! cannot be cancelled: where the awaiting future is dropped, it goes on, and its answer is lost.
//!
//! ```
//! use offermatch::asynchronous::{SharedPool, match_tasks};
//! use offermatch::{Matcher, Sample, Settings};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let matcher = Matcher::bundled("best-fit")?;
//! let (tasks, offers) = "uniform:20x10".parse::<Sample>()?.tables()?;
//! let once = match_tasks(&matcher, tasks.clone(), offers.clone(), Settings::default()).await?;
//!
//! let pool = SharedPool::new(matcher.open(&offers, &Settings::default())?);
//! let answer = pool.assign(tasks).await?;
//! assert_eq!(answer.assignments, once.assignments);
//! # Ok::<(), offermatch::Error>(())
//! # })?;
//! # Ok::<(), offermatch::Error>(())
//! ```

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::error::Error;
use crate::pool::answer::{Answer, Explanations};
use crate::pool::matching::Matching;
use crate::pool::{Pool, Update};
use crate::table::offers::Offers;
use crate::table::settings::Settings;
use crate::table::tasks::Tasks;

/// As [`Matching::match_tasks`], on a thread for blocking work.
///
/// # Errors
/// As [`Matching::match_tasks`].
///
/// # Panics
/// Outside a runtime of tokio, and where the call panics.
pub async fn match_tasks(
    matcher: &(impl Matching + Clone + 'static),
    tasks: Tasks,
    offers: Offers,
    settings: Settings,
) -> Result<Answer, Error> {
    let matcher = matcher.clone();
    on_a_thread(move || matcher.match_tasks(&tasks, &offers, &settings)).await
}

/// A pool that tasks of a runtime share. Calls take turns; one that waits for its turn holds no thread. A clone is the same
/// pool.
#[derive(Debug, Clone)]
pub struct SharedPool(Arc<Mutex<Pool>>);

impl SharedPool {
    /// A pool to be shared.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self(Arc::new(Mutex::new(pool)))
    }

    /// As [`Pool::assign`].
    ///
    /// # Errors
    /// As [`Pool::assign`].
    pub async fn assign(&self, tasks: Tasks) -> Result<Answer, Error> {
        self.call(move |pool| pool.assign(&tasks)).await
    }

    /// As [`Pool::update`].
    ///
    /// # Errors
    /// As [`Pool::update`].
    pub async fn update(&self, update: Update) -> Result<(), Error> {
        self.call(move |pool| pool.update(&update)).await
    }

    /// As [`Pool::explain`].
    ///
    /// # Errors
    /// As [`Pool::explain`].
    pub async fn explain(&self, tasks: Tasks) -> Result<Explanations, Error> {
        self.call(move |pool| pool.explain(&tasks)).await
    }

    /// Anything else that a pool does, on a thread for blocking work.
    ///
    /// # Panics
    /// Outside a runtime of tokio, and where the call panics.
    pub async fn call<T: Send + 'static>(&self, call: impl FnOnce(&mut Pool) -> T + Send + 'static) -> T {
        let mut pool = self.0.clone().lock_owned().await;
        on_a_thread(move || call(&mut pool)).await
    }
}

/// What a call gives that runs on a thread for blocking work.
async fn on_a_thread<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(call).await {
        Ok(answer) => answer,
        // Nobody aborts it, so it has panicked.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
