#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;
use crate::tui::column::Width;
use crate::tui::filter::Kind;
use proptest::prelude::*;

#[derive(Clone)]
struct Row {
    id: u32,
    name: String,
    text: String,
    wave: i64,
}

impl Item for Row {
    type Id = u32;
    const COLUMNS: &'static [Column] = &[
        Column {
            id: "name",
            title: "Name",
            width: Width::Fixed(9),
            rank: 0,
            shown: true,
            right: false,
        },
        Column {
            id: "wave",
            title: "Wave",
            width: Width::Fixed(9),
            rank: 0,
            shown: true,
            right: false,
        },
    ];
    const WORDS: &'static [Word] = &[
        Word {
            key: "wave",
            kind: Kind::Number,
        },
        Word {
            key: "clock",
            kind: Kind::Duration,
        },
    ];
    const SORT: Option<usize> = Some(0);
    fn id(&self) -> u32 {
        self.id
    }
    fn contains(&self, word: &str) -> bool {
        self.text.contains(word)
    }
    fn value(&self, key: &str, context: &Context) -> Value<'_> {
        match key {
            "wave" => Value::Number(self.wave),
            "clock" => Value::Seconds(self.wave - context.now),
            _ => Value::Absent,
        }
    }
    fn sort_key(&self, column: usize) -> SortKey<'_> {
        if column == 0 {
            SortKey::Text(&self.name)
        } else {
            SortKey::Number(self.wave)
        }
    }
}

fn row(id: u32, name: String) -> Row {
    Row {
        id,
        text: name.to_lowercase(),
        name,
        wave: i64::from(id % 6),
    }
}

fn made(count: u32) -> Vec<Row> {
    (0..count)
        .map(|id| row(id, format!("Repo-{id:03}")))
        .collect()
}

fn rows(count: u32) -> Rows<Row> {
    Rows::Chunked(Chunked::from_rows(made(count)))
}

fn list(count: u32, height: usize) -> List<Row> {
    let mut list = List::default();
    list.set_height(height);
    list.set_rows(rows(count), &Context::default());
    list
}

fn ids(list: &List<Row>) -> Vec<u32> {
    list.window().map(|(row, ..)| row.id).collect()
}

fn type_filter(list: &mut List<Row>, text: &str) {
    list.input = text.into();
    list.read_filter(&Context::default());
}

#[test]
fn only_the_window_is_given_out() {
    let mut list = list(100, 10);
    assert_eq!(ids(&list), (0..10).collect::<Vec<_>>());
    list.step(12);
    assert_eq!(ids(&list), (3..13).collect::<Vec<_>>());
    list.step(isize::MAX);
    assert_eq!(ids(&list), (90..100).collect::<Vec<_>>());
    list.step(isize::MIN);
    assert_eq!(list.position(), (0, 0));
}

#[test]
fn a_bad_filter_leaves_the_last_good_one() {
    let mut list = list(60, 10);
    type_filter(&mut list, "wave:5 repo");
    assert_eq!(list.counts(), (10, 60, 0));
    type_filter(&mut list, "wave:x");
    assert!(list.error.is_some());
    assert_eq!(list.counts().0, 10);
    type_filter(&mut list, "");
    assert!(list.error.is_none() && !list.filtered());
    assert_eq!(list.counts().0, 60);
}

#[test]
fn cursor_and_choice_follow_their_rows() {
    let mut list = list(20, 5);
    list.step(7);
    list.choose();
    list.go_to(9);
    let mut next = made(20);
    next.insert(0, row(99, "A".into()));
    next.retain(|row| row.id != 7);
    list.set_rows(Rows::Whole(Arc::new(next)), &Context::default());
    assert_eq!(list.current().unwrap().id, 9);
    assert_eq!(list.counts().2, 0, "a row that is gone is no longer chosen");
    list.sort_turn(&Context::default());
    assert_eq!(list.current().unwrap().id, 9);
}

#[test]
fn targets_are_the_choice_or_the_cursor() {
    let mut list = list(10, 5);
    list.step(3);
    assert_eq!(
        list.targets().iter().map(|row| row.id).collect::<Vec<_>>(),
        [3]
    );
    list.choose();
    list.step(2);
    list.choose();
    assert_eq!(
        list.targets().iter().map(|row| row.id).collect::<Vec<_>>(),
        [3, 6]
    );
    list.choose_all();
    assert_eq!(list.counts().2, 10);
    list.choose_all();
    assert_eq!(list.counts().2, 0);
}

#[test]
fn sorting_goes_through_the_columns() {
    let mut list = list(12, 12);
    list.sort_next(&Context::default());
    assert_eq!(list.sorted(), (Some(1), false));
    assert_eq!(ids(&list)[..4], [0, 6, 1, 7]);
    list.sort_next(&Context::default());
    assert_eq!(list.sorted().0, None);
    list.sort_by(1, &Context::default());
    list.sort_by(1, &Context::default());
    assert_eq!(list.sorted(), (Some(1), true));
}

#[test]
fn time_moves_rows_out_of_a_filter() {
    let mut list = list(6, 6);
    type_filter(&mut list, "clock>-1m");
    let later = Context { now: 63, me: None };
    assert!(list.tick(&later));
    assert_eq!(ids(&list), [4, 5]);
    assert!(!list.tick(&later));
}

proptest! {
    #[test]
    fn the_cursor_is_always_on_the_screen(
        count in 0u32..50, height in 0usize..20,
        moves in prop::collection::vec((0u8..7, -60isize..60), 0..30),
    ) {
        let mut list = list(count, height);
        for (kind, by) in moves {
            match kind {
                0 => list.step(by),
                1 => { list.click(by.unsigned_abs()); }
                2 => list.set_height(by.unsigned_abs()),
                3 => list.sort_next(&Context::default()),
                4 => type_filter(&mut list, &by.to_string()),
                5 => list.set_rows(rows(by.unsigned_abs() as u32), &Context::default()),
                _ => list.choose(),
            }
            let (top, cursor) = list.position();
            let (shown, all, chosen) = list.counts();
            prop_assert!(shown <= all && chosen <= all);
            prop_assert!(shown == 0 || (cursor < shown && top <= cursor && cursor < top + list.height()));
            prop_assert!(list.window().filter(|(_, here, _)| *here).count() == usize::from(shown > 0));
        }
    }
}
