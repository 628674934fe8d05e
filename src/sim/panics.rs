//! A panic in a node's handler is a crash of that node, not of the testbed: it is caught, and its
//! message kept instead of being printed.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

static HOOK: Once = Once::new();

/// Run a handler. `Err`: the message of its panic, with the place in the source where that is known
/// by a relative path (an absolute one would make the trace differ from machine to machine).
pub(crate) fn catch<R>(handler: impl FnOnce() -> R) -> Result<R, String> {
    HOOK.call_once(install_hook);
    CATCHING.set(true);
    let result = catch_unwind(AssertUnwindSafe(handler));
    CATCHING.set(false);
    result.map_err(|_| MESSAGE.with_borrow_mut(std::mem::take))
}

fn install_hook() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !CATCHING.get() {
            return default(info);
        }
        let text = info.payload_as_str().unwrap_or("a panic without a message");
        let place = info.location().filter(|place| !place.file().starts_with('/'));
        let message = match place {
            Some(place) => format!("{text} ({}:{})", place.file(), place.line()),
            None => text.to_owned(),
        };
        MESSAGE.set(message.replace('\n', " "));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message is kept with its place; what does not panic passes through.
    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(catch(|| 7), Ok(7));
        let message = catch(|| -> () { panic!("index {} is gone", 3) }).expect_err("it panics");
        assert!(message.starts_with("index 3 is gone (src/sim/panics.rs:"), "{message}");
    }
}
