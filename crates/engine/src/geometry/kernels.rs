//! Sine, cosine, tangent and their inverses as Cephes computes them, without fused multiply-add.
//!
//! Tile38 doesn't use the C library's functions, whose last digits differ in a large share of
//! distances; with these, distances and the order of near-equal ones are the same to the bit.
//! Nothing else of the geometry belongs here.

// The coefficients stand as they were published, with more digits than a double holds.
#![allow(clippy::excessive_precision)]

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// π/4 in three parts, so that subtracting multiples of it loses no digits.
const PI_4_HIGH: f64 = 7.853_981_256_484_985_351_56e-1;
const PI_4_MIDDLE: f64 = 3.774_894_707_930_798_176_68e-8;
const PI_4_LOW: f64 = 2.695_151_429_079_059_526_45e-15;

/// From here on the three-part reduction has no correct digits left.
const REDUCTION_MAX: f64 = 536_870_912.0;

/// What rounding π/2 to a double leaves out.
const FRAC_PI_2_REST: f64 = 6.123_233_995_736_765_886_130e-17;
const TAN_3_PI_8: f64 = 2.414_213_562_373_095_048_80;

const SIN: [f64; 6] = [
    1.589_623_015_765_465_680_60e-10,
    -2.505_074_776_285_780_728_66e-8,
    2.755_731_362_138_572_452_13e-6,
    -1.984_126_982_958_953_859_96e-4,
    8.333_333_333_322_118_588_78e-3,
    -1.666_666_666_666_663_072_95e-1,
];
const COS: [f64; 6] = [
    -1.135_853_652_138_768_173_00e-11,
    2.087_570_084_197_473_167_78e-9,
    -2.755_731_417_929_673_881_12e-7,
    2.480_158_728_885_170_453_48e-5,
    -1.388_888_888_887_305_641_16e-3,
    4.166_666_666_666_659_292_18e-2,
];
const TAN_NUMERATOR: [f64; 3] = [
    -1.309_369_391_813_837_342_05e4,
    1.153_516_648_385_874_161_40e6,
    -1.795_652_519_764_848_779_88e7,
];
const TAN_DENOMINATOR: [f64; 5] = [
    1.0,
    1.368_129_634_706_929_546_78e4,
    -1.320_892_344_402_109_674_47e6,
    2.500_838_018_233_579_158_39e7,
    -5.386_957_559_294_546_298_81e7,
];
const ATAN_NUMERATOR: [f64; 5] = [
    -8.750_608_600_031_904_122_785e-1,
    -1.615_753_718_733_365_076_637e1,
    -7.500_855_792_314_704_667_340e1,
    -1.228_866_684_490_136_173_410e2,
    -6.485_021_904_942_025_371_773e1,
];
const ATAN_DENOMINATOR: [f64; 6] = [
    1.0,
    2.485_846_490_142_306_297_962e1,
    1.650_270_098_316_988_542_046e2,
    4.328_810_604_912_902_668_951e2,
    4.853_903_996_359_136_964_868e2,
    1.945_506_571_482_613_964_425e2,
];

/// Horner's scheme, highest power first.
#[inline]
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    let Some((first, rest)) = coefficients.split_first() else { return 0.0 };
    rest.iter().fold(*first, |sum, coefficient| sum * x + coefficient)
}

/// The even octant (0, 2, 4 or 6) of a finite x ≥ 0, and the angle left over.
#[inline]
fn reduce(x: f64) -> (u64, f64) {
    // Such angles don't occur on Earth; the exact remainder keeps the answer sane.
    let x = if x >= REDUCTION_MAX { x % (2.0 * PI) } else { x };
    let mut octant = (x * (4.0 / PI)) as u64;
    octant += octant & 1;
    let multiple = octant as f64;
    let rest = ((x - multiple * PI_4_HIGH) - multiple * PI_4_MIDDLE) - multiple * PI_4_LOW;
    (octant & 7, rest)
}

#[inline]
fn sin_core(z: f64) -> f64 {
    let zz = z * z;
    z + z * zz * polynomial(&SIN, zz)
}

#[inline]
fn cos_core(z: f64) -> f64 {
    let zz = z * z;
    1.0 - 0.5 * zz + zz * zz * polynomial(&COS, zz)
}

/// The sine of an angle in radians.
pub fn sin(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return if x.is_infinite() { f64::NAN } else { x };
    }
    let (octant, z) = reduce(x.abs());
    let y = if octant & 2 == 0 { sin_core(z) } else { cos_core(z) };
    if (x < 0.0) == (octant & 4 == 0) {
        -y
    } else {
        y
    }
}

/// The cosine of an angle in radians.
pub fn cos(x: f64) -> f64 {
    if !x.is_finite() {
        return f64::NAN;
    }
    let (octant, z) = reduce(x.abs());
    let y = if octant & 2 == 0 { cos_core(z) } else { sin_core(z) };
    if octant == 2 || octant == 4 {
        -y
    } else {
        y
    }
}

/// The sine and the cosine of an angle in radians, each to the bit what [`sin`] and [`cos`] give.
#[inline]
pub fn sin_cos(x: f64) -> (f64, f64) {
    if !x.is_finite() {
        return (f64::NAN, f64::NAN);
    }
    let (octant, z) = reduce(x.abs());
    let (s, c) = (sin_core(z), cos_core(z));
    let (sine, cosine) = if octant & 2 == 0 { (s, c) } else { (c, s) };
    let is_sine_negative = (x < 0.0) != (octant & 4 != 0);
    let is_cosine_negative = octant == 2 || octant == 4;
    (if is_sine_negative { -sine } else { sine }, if is_cosine_negative { -cosine } else { cosine })
}

/// The tangent of an angle in radians.
pub fn tan(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return if x.is_infinite() { f64::NAN } else { x };
    }
    let (octant, z) = reduce(x.abs());
    let zz = z * z;
    let mut y = z;
    if zz > 1e-14 {
        y += z * (zz * polynomial(&TAN_NUMERATOR, zz) / polynomial(&TAN_DENOMINATOR, zz));
    }
    if octant & 2 != 0 {
        y = -1.0 / y;
    }
    if x < 0.0 {
        -y
    } else {
        y
    }
}

#[inline]
fn atan_core(x: f64) -> f64 {
    let zz = x * x;
    x * (zz * polynomial(&ATAN_NUMERATOR, zz) / polynomial(&ATAN_DENOMINATOR, zz)) + x
}

/// The arc tangent of x ≥ 0.
#[inline]
fn atan_of_positive(x: f64) -> f64 {
    if x <= 0.66 {
        atan_core(x)
    } else if x > TAN_3_PI_8 {
        FRAC_PI_2 - atan_core(1.0 / x) + FRAC_PI_2_REST
    } else {
        FRAC_PI_4 + atan_core((x - 1.0) / (x + 1.0)) + 0.5 * FRAC_PI_2_REST
    }
}

/// The arc tangent in radians.
pub fn atan(x: f64) -> f64 {
    if x == 0.0 {
        x
    } else if x > 0.0 {
        atan_of_positive(x)
    } else {
        -atan_of_positive(-x)
    }
}

/// The arc sine in radians; NaN beyond ±1.
pub fn asin(x: f64) -> f64 {
    if x == 0.0 {
        return x;
    }
    let size = x.abs();
    if size > 1.0 || size.is_nan() {
        return f64::NAN;
    }
    let other = (1.0 - size * size).sqrt();
    let y = if size > 0.7 {
        FRAC_PI_2 - atan_of_positive(other / size)
    } else {
        atan_of_positive(size / other)
    };
    if x < 0.0 {
        -y
    } else {
        y
    }
}

/// The angle of the position (x, y), in radians between −π and π.
pub fn atan2(y: f64, x: f64) -> f64 {
    let at_infinity_or_zero = y == 0.0 || x == 0.0 || !x.is_finite() || !y.is_finite();
    if at_infinity_or_zero {
        // No rounding happens in these cases: the standard library gives the same.
        return y.atan2(x);
    }
    let angle = atan(y / x);
    if x >= 0.0 {
        angle
    } else if angle <= 0.0 {
        angle + PI
    } else {
        angle - PI
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_stay_within_two_units_of_the_standard_library() {
        let close = |a: f64, b: f64| (a - b).abs() <= 4.0 * f64::EPSILON * b.abs().max(1e-3);
        for step in -4000..4000 {
            let x = f64::from(step) * 0.003_17;
            assert!(close(sin(x), x.sin()), "sin {x}");
            assert!(close(cos(x), x.cos()), "cos {x}");
            assert_eq!(sin_cos(x), (sin(x), cos(x)), "sin_cos {x}");
            assert!((tan(x) - x.tan()).abs() <= 1e-13 * x.tan().abs().max(1.0).powi(2), "tan {x}");
            assert!(close(atan(x), x.atan()), "atan {x}");
            let part = f64::from(step) / 4000.0;
            assert!(close(asin(part), part.asin()), "asin {part}");
            let y = f64::from((step * 7919) % 4001) * 0.01;
            assert!(close(atan2(y, x), y.atan2(x)), "atan2 {y} {x}");
        }
    }

    #[test]
    fn special_values_are_those_of_ieee() {
        assert!(sin(f64::NAN).is_nan() && sin(f64::INFINITY).is_nan());
        assert!(cos(f64::NEG_INFINITY).is_nan() && tan(f64::NAN).is_nan());
        assert!(asin(1.000_001).is_nan() && asin(f64::NAN).is_nan() && atan(f64::NAN).is_nan());
        assert!(sin(-0.0).is_sign_negative() && atan(-0.0).is_sign_negative());
        assert_eq!(atan2(0.0, -1.0), PI);
        assert_eq!(atan2(-0.0, -1.0), -PI);
        assert_eq!(atan2(3.0, 0.0), FRAC_PI_2);
        assert!(sin(1e300).abs() <= 1.0 && cos(f64::MAX).abs() <= 1.0);
    }
}
