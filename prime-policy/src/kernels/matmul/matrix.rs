//! Matrices as they lie in memory.

/// Which elements of a matrix lie side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Those of a row: activations; the weight `[in, out]` of a linear layer.
    Rows,
    /// Those of a column: the transposed view of either; an embedding `[vocab, hidden]` that serves as the output head.
    Columns,
}

/// A view of a matrix, either by rows or by columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    pub(super) shape: [usize; 2],
    pub(super) order: Order,
    /// Elements from the start of a line (a row or a column) to the start of the next.
    pub(super) stride: usize,
}

impl<'a> Matrix<'a> {
    /// `shape`: rows and columns, neither 0. `values` start with the matrix's first element and reach at least to its
    /// last; lines are `stride` apart, which is not less than their length.
    pub(crate) fn new(values: &'a [f32], shape: [usize; 2], order: Order, stride: usize) -> Self {
        Self {
            values,
            shape,
            order,
            stride,
        }
    }

    /// How long a line is.
    #[inline(always)]
    pub(super) fn line_length(&self) -> usize {
        match self.order {
            Order::Rows => self.shape[1],
            Order::Columns => self.shape[0],
        }
    }

    /// All elements of a line.
    #[inline(always)]
    pub(super) fn line(&self, number: usize) -> &'a [f32] {
        &self.values[number * self.stride..][..self.line_length()]
    }

    /// The elements from `at` on in the line `number`, and what follows them in memory.
    #[inline(always)]
    pub(super) fn from(&self, number: usize, at: usize) -> &'a [f32] {
        &self.values[number * self.stride + at..]
    }

    pub(super) fn elements(&self) -> usize {
        self.shape[0] * self.shape[1]
    }
}
