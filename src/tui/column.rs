//! Columns of a list: title, width class, and which give way first when the screen is narrow.
//!
//! One table a list, next to its rows; header, widths and sort order all come from it and cannot drift apart.

/// How wide a column wants to be, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    Fixed(u16),
    /// Takes a share of what is left, between these bounds.
    Flex {
        min: u16,
        max: u16,
        share: u16,
    },
}

impl Width {
    fn least(self) -> u16 {
        match self {
            Self::Fixed(width) => width,
            Self::Flex { min, .. } => min,
        }
    }

    /// Cells at which most names and steps can be read whole.
    fn comfortable(self) -> u16 {
        match self {
            Self::Fixed(width) => width,
            Self::Flex { min, .. } => min.saturating_mul(2),
        }
    }
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in the config file and in the column choice.
    pub id: &'static str,
    pub title: &'static str,
    pub width: Width,
    /// Columns of a higher rank are left out first; rank 0 never is.
    pub rank: u8,
    /// Shown unless a person chose otherwise.
    pub shown: bool,
    /// True where the title and the cells stand at the right edge.
    pub right: bool,
}

/// Columns of this rank and higher give way already when the more important ones would be cramped.
const EXTRA: u8 = 5;

/// Blank cells between columns.
pub const GAP: u16 = 2;

/// Gives the columns that fit into `available` cells, as (index, width), in table order.
#[must_use]
pub fn layout(columns: &[Column], wanted: &[bool], available: u16) -> Vec<(usize, u16)> {
    let mut taken: Vec<(usize, &Column)> = columns
        .iter()
        .enumerate()
        .filter(|(index, column)| {
            column.rank == 0 || wanted.get(*index).copied().unwrap_or(column.shown)
        })
        .collect();
    let sum = |taken: &[(usize, &Column)], cells: &dyn Fn(&Column) -> u16| {
        let cells: u32 = taken
            .iter()
            .map(|(_, column)| u32::from(cells(column) + GAP))
            .sum();
        cells.saturating_sub(u32::from(GAP))
    };
    let least = |taken: &[(usize, &Column)]| sum(taken, &|column| column.width.least());
    let roomy = |taken: &[(usize, &Column)]| {
        sum(taken, &|column| {
            if column.rank < 3 {
                column.width.comfortable()
            } else {
                column.width.least()
            }
        })
    };
    while roomy(&taken) > u32::from(available) && drop_last(&mut taken, EXTRA) {}
    while least(&taken) > u32::from(available) && drop_last(&mut taken, 1) {}
    let spare = u32::from(available).saturating_sub(least(&taken));
    let spare = u16::try_from(spare).unwrap_or(u16::MAX);
    spread(&taken, spare)
}

/// Leaves out the column of the highest rank, if that is at least `from`.
fn drop_last(taken: &mut Vec<(usize, &Column)>, from: u8) -> bool {
    let worst = taken.iter().map(|(_, column)| column.rank).max();
    let Some(worst) = worst.filter(|rank| *rank >= from) else {
        return false;
    };
    let at = taken.iter().rposition(|(_, column)| column.rank == worst);
    at.map(|at| taken.remove(at)).is_some()
}

/// Hands the spare cells to the flexible columns by share; what one cannot take goes to the next round.
fn spread(taken: &[(usize, &Column)], mut spare: u16) -> Vec<(usize, u16)> {
    let mut widths: Vec<(usize, u16)> = taken
        .iter()
        .map(|(index, column)| (*index, column.width.least()))
        .collect();
    loop {
        let open = |(slot, (_, column)): (&(usize, u16), &(usize, &Column))| match column.width {
            Width::Flex { max, share, .. } if slot.1 < max => share,
            _ => 0,
        };
        let shares: u16 = widths.iter().zip(taken).map(open).sum();
        if shares == 0 || spare == 0 {
            return widths;
        }
        let unit = (spare / shares).max(1);
        for (slot, (index, column)) in widths.iter_mut().zip(taken) {
            let share = open((slot, &(*index, column)));
            if let Width::Flex { max, .. } = column.width {
                let more = (unit * share).min(max - slot.1.min(max)).min(spare);
                slot.1 += more;
                spare -= more;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    const fn column(id: &'static str, width: Width, rank: u8) -> Column {
        Column {
            id,
            title: id,
            width,
            rank,
            shown: true,
            right: false,
        }
    }

    const TABLE: &[Column] = &[
        column(
            "repo",
            Width::Flex {
                min: 10,
                max: 40,
                share: 2,
            },
            0,
        ),
        column("owner", Width::Fixed(8), 2),
        column("lane", Width::Fixed(12), 1),
        column(
            "next",
            Width::Flex {
                min: 10,
                max: u16::MAX,
                share: 3,
            },
            1,
        ),
    ];

    #[test]
    fn everything_fits_or_gives_way_by_rank() {
        let ids = |width| {
            layout(TABLE, &[], width)
                .iter()
                .map(|(index, _)| TABLE[*index].id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(80), ["repo", "owner", "lane", "next"]);
        assert_eq!(ids(45), ["repo", "lane", "next"]);
        assert_eq!(ids(30), ["repo", "lane"]);
        assert_eq!(ids(3), ["repo"]);
    }

    #[test]
    fn flexible_columns_fill_the_line_exactly() {
        for width in 46..300 {
            let columns = layout(TABLE, &[], width);
            let sum: u16 = columns.iter().map(|(_, width)| width + GAP).sum::<u16>() - GAP;
            assert_eq!(sum, width);
            assert!(columns[0].1 <= 40);
        }
    }

    #[test]
    fn a_person_can_leave_columns_out_but_not_the_first() {
        let columns = layout(TABLE, &[false, false, true, true], 100);
        assert_eq!(
            columns.iter().map(|(index, _)| *index).collect::<Vec<_>>(),
            [0, 2, 3]
        );
    }
}
