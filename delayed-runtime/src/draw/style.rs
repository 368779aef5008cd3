//! What may be chosen of a picture.

/// How a picture of a graph looks.
///
/// ```
/// # use delayed_runtime as delayed;
/// use delayed::{Colour, Style};
///
/// let style = Style::new().left_to_right().values().colour(Colour::State);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a style changes nothing until a picture is drawn with it"]
pub struct Style {
    pub(super) left_to_right: bool,
    pub(super) values: bool,
    pub(super) labels: bool,
    pub(super) colour: Colour,
}

/// What the colours of a picture mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Colour {
    /// Calls of one function have one colour. Text, Graphviz's and Mermaid's pictures have none.
    #[default]
    Function,
    /// What the node was doing: its [`Status`](crate::Status).
    State,
    /// The place in which it ran: [`GraphNode::order`](crate::GraphNode::order). Graphs of
    /// [`Report::graph`](crate::Report::graph) know it; those of handles do not, and are grey.
    Order,
    /// How long it ran: [`GraphNode::time`](crate::GraphNode::time), as for `Order`.
    Time,
}

impl Style {
    /// Calls alone, from top to bottom, with a colour for each function.
    pub fn new() -> Style {
        Style::default()
    }

    /// Values flow from left to right, and not from top to bottom.
    pub fn left_to_right(self) -> Style {
        Style { left_to_right: true, ..self }
    }

    /// Draws the values between the calls too, as Dask does: calls are round and values are boxes.
    /// What is drawn in groups and trees of text show calls alone.
    pub fn values(self) -> Style {
        Style { values: true, ..self }
    }

    /// Writes the names of the parameters where their values arrive. Graphviz's and text pictures
    /// always have them.
    pub fn labels(self) -> Style {
        Style { labels: true, ..self }
    }

    /// Chooses what colours mean. A legend says it, except for functions, whose names are there.
    pub fn colour(self, colour: Colour) -> Style {
        Style { colour, ..self }
    }
}
