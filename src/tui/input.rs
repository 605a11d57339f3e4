//! From the terminal's events to messages. Knows no screen: what a key means is the action table's affair.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};

use super::action::Key;
use super::layout::Size;
use super::update::{Message, WHEEL};

/// The message of an event, or nothing where the console does not listen to it.
#[must_use]
pub fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(event) if event.kind != KeyEventKind::Release => key(event).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(width, height) => Some(Message::Resize(Size { width, height })),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Message::Click {
                x: mouse.column,
                y: mouse.row,
            }),
            MouseEventKind::ScrollDown => Some(Message::Scroll(WHEEL)),
            MouseEventKind::ScrollUp => Some(Message::Scroll(-WHEEL)),
            _ => None,
        },
        _ => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    if event
        .modifiers
        .intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META)
    {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(letter) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(letter.to_ascii_lowercase())
        }
        KeyCode::Char(letter) => Key::Char(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
        match message(Event::Key(KeyEvent::new(code, modifiers))) {
            Some(Message::Key(key)) => Some(key),
            _ => None,
        }
    }

    #[test]
    fn keys_are_read() {
        let cases = [
            (KeyCode::Char('g'), KeyModifiers::NONE, Some(Key::Char('g'))),
            (
                KeyCode::Char('G'),
                KeyModifiers::SHIFT,
                Some(Key::Char('G')),
            ),
            (
                KeyCode::Char('C'),
                KeyModifiers::CONTROL,
                Some(Key::Ctrl('c')),
            ),
            (KeyCode::BackTab, KeyModifiers::SHIFT, Some(Key::BackTab)),
            (KeyCode::Char('x'), KeyModifiers::ALT, None),
            (KeyCode::F(5), KeyModifiers::NONE, None),
        ];
        for (code, modifiers, expected) in cases {
            assert_eq!(press(code, modifiers), expected, "{code:?} {modifiers:?}");
        }
    }

    #[test]
    fn a_released_key_is_nothing() {
        let mut event = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert!(message(Event::Key(event)).is_none());
    }
}
