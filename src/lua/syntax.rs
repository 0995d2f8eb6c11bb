// SPDX-License-Identifier: Apache-2.0
//! Whether a text that a person types is a whole statement yet. It needs no VM of a session, so that a prompt can ask
//! while the session's Lua is busy.

use mlua::{Lua, LuaOptions, StdLib};

use super::results;

/// A Lua without libraries, for reading texts.
#[derive(Debug)]
pub struct Syntax(Option<Lua>);

impl Default for Syntax {
    fn default() -> Self {
        let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).ok();
        Syntax(lua.filter(|lua| results::make_whole(lua).is_ok()))
    }
}

impl Syntax {
    /// Whether more lines are wanted: an open block, bracket, or long string, or half an expression. A text that is wrong
    /// in another way is whole: its error is to be told.
    pub fn is_incomplete(&self, text: &str) -> bool {
        let Some(lua) = &self.0 else { return false };
        let ends_early = |text: &str| match lua.load(text).into_function() {
            Ok(_) => Some(false),
            // A string in quotes ends with its line.
            Err(mlua::Error::SyntaxError { message, .. }) if !message.contains(": unfinished string near ") => {
                message.ends_with("'<eof>'").then_some(true)
            }
            Err(_) => None,
        };
        // A first line that begins with `#` is skipped unless something stands in front.
        match (ends_early(&format!("return {text}")), ends_early(&format!(" {text}"))) {
            (Some(false), _) | (_, Some(false)) => false,
            (expression, statement) => expression.or(statement).unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_wants_more() {
        let syntax = Syntax::default();
        let open =
            ["for i = 1, 3 do", "f(", "1 +", "x = [[ C text", "local x =", "if a then b()", "return function()", "#f("];
        for text in open {
            assert!(syntax.is_incomplete(text), "{text}");
        }
        let whole =
            ["x", "x = 1", "f()", "for i = 1, 3 do end", "foo bar", "end", "x = \"abc", "", "local x", "1, 2", "#x"];
        for text in whole {
            assert!(!syntax.is_incomplete(text), "{text}");
        }
    }
}
