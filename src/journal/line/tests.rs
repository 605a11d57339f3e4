//! The line format by table and by property.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;

fn writer() -> WriterId {
    "wabcdefgh23".parse().unwrap()
}

fn session() -> Previous {
    Previous::Session(SessionId::from_random([7; 16]))
}

fn draft<'a>(about: &'a str, data: &'a str) -> Draft<'a> {
    Draft {
        at: "2026-12-05T10:02:11Z",
        kind: "gate_attested",
        about,
        crit: false,
        over: &[],
        data,
    }
}

fn id(seq: u64) -> EventId {
    EventId {
        writer: writer(),
        seq,
    }
}

#[test]
fn the_format_is_this() {
    let full = Draft {
        crit: true,
        over: &[id(3), id(4)],
        ..draft("repo:rabc", "{\"note\":\"x\"}")
    };
    let (line, hash) = finish(full.body(id(41), 977).unwrap(), Some("QUJD"), &session()).unwrap();
    let body = "{\"v\":1,\"writer\":\"wabcdefgh23\",\"seq\":41,\"tick\":977,\"at\":\"2026-12-05T10:02:11Z\",\
        \"kind\":\"gate_attested\",\"about\":\"repo:rabc\",\"crit\":true,\"over\":[\"wabcdefgh23:3\",\"wabcdefgh23:4\"],\
        \"data\":{\"note\":\"x\"},\"sig\":\"QUJD\"";
    assert_eq!(line, format!("{body},\"hash\":\"{hash}\"}}"));
    let mut hasher = Sha256::new();
    hasher.update("07".repeat(16));
    hasher.update(body);
    let expected: String = hasher
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hash.as_str(), expected);

    let read = Line::parse(line.as_bytes()).unwrap();
    assert_eq!(
        (read.id, read.tick, read.kind, read.about),
        (id(41), 977, "gate_attested", "repo:rabc")
    );
    assert_eq!(read.over.iter().collect::<Vec<_>>(), [id(3), id(4)]);
    assert_eq!(
        (read.data, read.sig, read.crit),
        ("{\"note\":\"x\"}", Some("QUJD"), true)
    );
    assert_eq!(
        read.signed_bytes(),
        body.split(",\"sig\"").next().unwrap().as_bytes()
    );
    assert!(read.follows(&session()));
    assert!(!read.follows(&Previous::Line(hash)));
}

#[test]
fn refuses_every_other_shape() {
    let (good, _) = finish(
        draft("repo:r", "{}").body(id(1), 2).unwrap(),
        None,
        &session(),
    )
    .unwrap();
    Line::parse(good.as_bytes()).unwrap();
    let cases = [
        ("\"v\":1", "\"v\":01"),
        ("\"v\":1,", "\"v\": 1,"),
        ("\"seq\":1", "\"seq\":-1"),
        ("\"seq\":1", "\"seq\":9007199254740992"),
        ("\"tick\":2", "\"tick\":02"),
        ("\"seq\":1,\"tick\":2", "\"tick\":2,\"seq\":1"),
        ("wabcdefgh23", "wabcdefgh21"),
        ("wabcdefgh23", "xabcdefgh23"),
        ("10:02:11Z", "10:02:11+00:00"),
        ("10:02:11Z", "25:02:11Z"),
        ("2026-12-05T", "2026-13-05T"),
        ("10:02:11Z", "10:02:11.Z"),
        ("gate_attested", "Gate"),
        ("gate_attested", ""),
        ("repo:r\"", "repo:r\\u0041\""),
        ("\"data\":{}", "\"data\":[]"),
        ("\"data\":{}", "\"crit\":false,\"data\":{}"),
        ("\"data\":{}", "\"over\":[],\"data\":{}"),
        ("\"data\":{}", "\"over\":[\"wabcdefgh23:x\"],\"data\":{}"),
        ("\"data\":{}", "\"over\":[\"wabcdefgh23:1\",],\"data\":{}"),
        (
            "\"data\":{}",
            "\"over\":[\"wabcdefgh23:1\"],\"crit\":true,\"data\":{}",
        ),
        ("\"data\":{}", "\"data\":{},\"sig\":\"\""),
        ("\"data\":{}", "\"data\":{},\"sig\":\"a b\""),
        ("\"data\":{}", "\"data\":{},\"extra\":1"),
        ("\"data\":{}", "\"data\":{}}"),
        ("\"data\":{}", "\"data\":{\"a\":1,\"a\":1}"),
        ("\"hash\":\"", "\"hash\": \""),
        ("\"}", "\"} "),
    ];
    for (from, to) in cases {
        assert!(good.contains(from), "{from}");
        let bad = good.replacen(from, to, 1);
        assert!(Line::parse(bad.as_bytes()).is_err(), "accepted: {bad}");
    }
    let upper = format!(
        "{}{}\"}}",
        &good[..good.len() - 66],
        good[good.len() - 66..good.len() - 2].to_uppercase()
    );
    assert!(upper == good || Line::parse(upper.as_bytes()).is_err());
    assert_eq!(
        Line::parse(good.replacen("\"v\":1", "\"v\":2", 1).as_bytes()).unwrap_err(),
        Reason::Newer(2)
    );
    assert_eq!(Line::parse(b"").unwrap_err(), Reason::shape("`{\"v\":`", 0));
}

#[test]
fn a_line_is_capped_at_one_mebibyte() {
    let data = |len: usize| format!("{{\"t\":\"{}\"}}", "x".repeat(len));
    let (short, _) = finish(
        draft("s", &data(10)).body(id(0), 0).unwrap(),
        None,
        &session(),
    )
    .unwrap();
    let room = MAX_LINE - short.len() + 10;
    assert!(
        finish(
            draft("s", &data(room)).body(id(0), 0).unwrap(),
            None,
            &session()
        )
        .is_ok()
    );
    assert_eq!(
        finish(
            draft("s", &data(room + 1)).body(id(0), 0).unwrap(),
            None,
            &session()
        ),
        Err(Reason::TooLong)
    );
}

#[test]
fn nothing_can_be_smuggled_through_a_draft() {
    for (about, data) in [
        ("a\",\"crit\":true,\"x\":\"", "{}"),
        ("a\n", "{}"),
        ("a\\", "{}"),
        ("a", "{},\"x\":{}"),
        ("a", "{}\n"),
        ("a", "{},\"sig\":\"QUJD\""),
        ("a\",\"data\":{},\"sig\":\"QUJD", "{}"),
        ("a\",\"data\":{\"x\":\"", "{}}"),
    ] {
        assert!(draft(about, data).body(id(0), 0).is_err(), "{about} {data}");
    }
    for sig in ["", "QUJD\",\"x\":\"", "QU JD"] {
        assert!(
            finish(
                draft("a", "{}").body(id(0), 0).unwrap(),
                Some(sig),
                &session()
            )
            .is_err(),
            "{sig}"
        );
    }
}

#[test]
fn ids_print_as_they_parse() {
    assert_eq!(
        "wabcdefgh23:17".parse::<EventId>().unwrap().to_string(),
        "wabcdefgh23:17"
    );
    for bad in [
        "wabcdefgh23",
        "wabcdefgh23:",
        "wabcdefgh23:01",
        "wabcdefgh23:1 ",
        ":1",
        "wabcdefgh2:1",
        "wabcdefgh23:1:2",
    ] {
        assert!(bad.parse::<EventId>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        seq in 0..=MAX_NUMBER, tick in 0..=MAX_NUMBER, random in any::<[u8; 8]>(), crit in any::<bool>(),
        over in proptest::collection::vec((any::<[u8; 8]>(), 0..=MAX_NUMBER), 0..4),
        text in any::<String>(), about in "[^\"\\\\\\x00-\\x1f]{0,40}",
    ) {
        let over: Vec<EventId> = over.into_iter().map(|(w, seq)| EventId { writer: WriterId::from_random(w), seq }).collect();
        let data = serde_json::json!({ "text": text }).to_string();
        let id = EventId { writer: WriterId::from_random(random), seq };
        let draft = Draft { crit, over: &over, ..draft(&about, &data) };
        let (line, hash) = finish(draft.body(id, tick).unwrap(), None, &session()).unwrap();
        let read = Line::parse(line.as_bytes()).unwrap();
        prop_assert_eq!((read.id, read.tick, read.about, read.crit, read.hash), (id, tick, about.as_str(), crit, hash));
        prop_assert_eq!(read.over.iter().collect::<Vec<_>>(), over);
        prop_assert_eq!(read.data, data.as_str());
        prop_assert!(read.follows(&session()));
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Line::parse(&bytes);
    }
}
