//! Units of measurement.

/// A unit. What is measured in it is worth `(value + shift) * factor` in the first of its kind.
pub struct Unit {
    pub name: &'static str,
    pub kind: &'static str,
    factor: f64,
    shift: f64,
}

const fn unit(name: &'static str, kind: &'static str, factor: f64, shift: f64) -> Unit {
    Unit {
        name,
        kind,
        factor,
        shift,
    }
}

pub const UNITS: [Unit; 12] = [
    unit("metre", "length", 1.0, 0.0),
    unit("kilometre", "length", 1000.0, 0.0),
    unit("foot", "length", 0.3048, 0.0),
    unit("mile", "length", 1609.344, 0.0),
    unit("kilogram", "mass", 1.0, 0.0),
    unit("pound", "mass", 0.453_592_37, 0.0),
    unit("litre", "volume", 1.0, 0.0),
    unit("US gallon", "volume", 3.785_411_784, 0.0),
    unit("imperial gallon", "volume", 4.546_09, 0.0),
    unit("kelvin", "temperature", 1.0, 0.0),
    unit("celsius", "temperature", 1.0, 273.15),
    unit("fahrenheit", "temperature", 5.0 / 9.0, 459.67),
];

pub const KINDS: [&str; 4] = ["length", "mass", "volume", "temperature"];

/// The unit of this name.
pub fn find(name: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| unit.name == name)
}

/// `value`, in another unit; `None` if the two measure different things.
pub fn convert(value: f64, from: &Unit, to: &Unit) -> Option<f64> {
    let converted = (value + from.shift) * from.factor / to.factor - to.shift;
    // Ten digits are more than anybody measures, and hide what binary fractions cannot say.
    (from.kind == to.kind).then(|| format!("{converted:.9e}").parse().unwrap_or(converted))
}
