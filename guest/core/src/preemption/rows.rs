//! Rows of quantities that lie one behind the other, of a width that the compiler knows where it is a common one.

/// How wide rows are.
pub(super) trait Rows: Copy {
    /// How many numbers a row has.
    fn width(self) -> usize;

    /// A row.
    fn row(self, cells: &[u64], at: usize) -> &[u64];

    /// A row to be changed.
    fn row_mut(self, cells: &mut [u64], at: usize) -> &mut [u64] {
        &mut cells[at * self.width()..][..self.width()]
    }
}

/// Rows of one width.
#[derive(Clone, Copy)]
pub(super) struct Fixed<const N: usize>;

/// Rows of any width.
#[derive(Clone, Copy)]
pub(super) struct Any(pub(super) usize);

impl<const N: usize> Rows for Fixed<N> {
    #[inline(always)]
    fn width(self) -> usize {
        N
    }

    #[inline(always)]
    fn row(self, cells: &[u64], at: usize) -> &[u64] {
        &cells.as_chunks::<N>().0[at]
    }
}

impl Rows for Any {
    #[inline]
    fn width(self) -> usize {
        self.0
    }

    #[inline]
    fn row(self, cells: &[u64], at: usize) -> &[u64] {
        &cells[at * self.0..][..self.0]
    }
}
