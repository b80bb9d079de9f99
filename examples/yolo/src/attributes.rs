//! Attributes of control tags that set a number or a switch.

use label_studio_ml::{
    Control,
    anyhow::{self, Context, bail},
};

/// Reads a switch: on for 1, true and yes in any case, off for anything else, nothing included.
pub(crate) fn switch(control: &Control, name: &str, default: bool) -> bool {
    control.attrs.get(name).map_or(default, |value| {
        ["1", "true", "yes"]
            .iter()
            .any(|on| value.trim().eq_ignore_ascii_case(on))
    })
}

/// Reads a number; an attribute that is set to nothing counts as missing.
pub(crate) fn number(control: &Control, name: &str) -> anyhow::Result<Option<f64>> {
    let Some(text) = control.attr(name) else {
        return Ok(None);
    };
    let number = parse_number(text);
    let place = || {
        format!(
            "attribute {name} of <{} name={:?}>",
            control.tag, control.name
        )
    };
    number.map(Some).with_context(place)
}

/// Reads a number.
pub(crate) fn parse_number(text: &str) -> anyhow::Result<f64> {
    match text.trim().parse::<f64>() {
        Ok(number) if !number.is_nan() => Ok(number),
        _ => bail!("{text:?} is not a number"),
    }
}
