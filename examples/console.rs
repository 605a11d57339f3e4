#[path = "../tests/common/console.rs"]
mod console;
use std::sync::Arc;
fn main() {
    let n: usize = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(12);
    let theme = std::env::args().nth(2).unwrap_or("dark".into());
    let f = tempfile::tempdir().unwrap();
    let s = console::session(f.path(), n, false);
    let now: cutover::engine::owner::Now = Arc::new(|| {
        cutover::model::time::Ts(
            chrono::Utc::now().timestamp()
                - std::env::var("OFF")
                    .ok()
                    .and_then(|o| o.parse::<i64>().ok())
                    .unwrap_or(0),
        )
    });
    let h = cutover::engine::Handle::start(s, now.clone()).unwrap();
    let o = cutover::tui::Options {
        settings: cutover::tui::state::Settings {
            session: "acme.cutover".into(),
            ..Default::default()
        },
        theme,
        theme_file: None,
        depth: cutover::tui::theme::Depth::of(
            std::env::var_os("NO_COLOR").is_some(),
            std::env::var("COLORTERM").ok().as_deref(),
            std::env::var("TERM").ok().as_deref(),
        ),
        glyphs: if std::env::var_os("ASCII").is_some() {
            cutover::tui::theme::Glyphs::Ascii
        } else {
            cutover::tui::theme::Glyphs::Unicode
        },
    };
    println!("{:?}", cutover::tui::run(h, &o, &now));
}
